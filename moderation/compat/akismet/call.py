"""What every call has: its fields, a known key, a blog of that key's site; and errors in this dialect."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from urllib.parse import urlsplit

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from moderation import logs
from moderation.api.access import Who, find_caller, requires
from moderation.api.limits import charge_submission
from moderation.api.problems import Problem
from moderation.compat.akismet.answers import (
    ALERT_CODE,
    ALERT_TEXT,
    ERROR,
    INVALID,
    NOT_ITS_BLOG,
    Refused,
    cannot_judge,
    refusal,
)
from moderation.compat.akismet.form import Fields, read_form
from moderation.compat.akismet.key import USUAL, find_key
from moderation.database import Unavailable
from moderation.models import KeyKind
from moderation.services.access import SiteCaller

log = logging.getLogger(__name__)
bp = Blueprint("akismet", __name__)

# The longest text of 20,000 characters, written as a form writes it and sent three times over by WordPress.
FORM_BYTES = 1024 * 1024
_METHODS = ["GET", "POST"]


@dataclass(frozen=True)
class Call:
    """A call whose key is known."""

    caller: SiteCaller
    key: str
    fields: Fields
    query: Fields

    def read(self, name: str) -> str:
        """A field of the body, else of the address; empty if it is in neither."""
        return self.fields.get(name, self.query.get(name, "")).strip()


View = Callable[[Call], Response]


def endpoint(path: str, order: Sequence[str] = USUAL) -> Callable[[View], View]:
    """Serve a view at a path: it is called with a known key, and what it raises is told in the dialect."""

    def decorate(view: View) -> View:
        @bp.route(path, methods=_METHODS, endpoint=view.__name__)
        @requires(Who.EVERYBODY)  # The key is found and checked here.
        @wraps(view)
        def answered() -> Response:
            return in_dialect(lambda: view(_read_call(order)))

        return view

    return decorate


def in_dialect(work: Callable[[], Response]) -> Response:
    """Run something and turn whatever it raises into an answer that clients understand."""
    try:
        return work()
    except Refused as refused:
        return refusal(refused)
    except Problem as problem:
        return refusal(_from_problem(problem))
    except RequestEntityTooLarge:
        return refusal(Refused("Request too large.", f"At most {FORM_BYTES} bytes", {ERROR: "too-large"}))
    except HTTPException:
        return refusal(Refused("Malformed request.", "The request cannot be read", {ERROR: "malformed"}))
    except Unavailable as error:
        log.error("the database cannot be used (%s)", error, extra={"kind": "database"})  # noqa: TRY400 - one line
    except Exception as error:
        log.error("%s in a door", type(error).__name__, extra=logs.told(error))  # noqa: TRY400 - without its text
    return refusal(cannot_judge())


def require(call: Call, name: str) -> str:
    """A field that must be there; raises Refused in the words clients know."""
    if name not in call.fields and name not in call.query:
        raise Refused(f"Missing required field: {name}.", f'Empty "{name}" value')
    return call.read(name)


def require_post() -> None:
    """Refuse to read a comment out of an address, which ends up in logs."""
    if request.method != "POST":
        raise Refused("Missing required field: comment_content.", "Use POST")


def check_blog(call: Call, refuse: Callable[[str], Refused]) -> str:
    """The host of the call's blog, which must be one of the site's if the site says where it lives.

    A site made with `--origin` is bound to the hosts of its origins, `www.` aside; one without takes any.
    """
    blog = call.read("blog")
    if not blog:
        raise refuse('Empty "blog" value')
    host = blog_host(blog)
    if host is None:
        raise refuse("We were unable to parse your blog URI")
    own = {blog_host(origin) for origin in call.caller.allowed_origins}
    if own and host not in own:
        raise Refused(
            INVALID,
            "The blog is not one of this key's site",
            {ALERT_CODE: NOT_ITS_BLOG, ALERT_TEXT: "This key belongs to another site."},
        )
    return host


def blog_host(url: str) -> str | None:
    """The host (and port) by which a blog is known, None if there is none.

    >>> blog_host("https://www.Example.org/blog/"), blog_host("example.org:8080"), blog_host("http://")
    ('example.org', 'example.org:8080', None)
    """
    try:
        netloc = urlsplit(url if "//" in url else f"//{url}").netloc
    except ValueError:
        return None
    host = netloc.rpartition("@")[2].lower().removeprefix("www.")
    if not host or not host.isprintable() or any(character in host for character in ' "<>\\^`{|},;'):
        return None
    return host


def charge(call: Call) -> None:
    """Count a comment of the site; raises what `in_dialect` answers with 429."""
    charge_submission(call.caller)


def _read_call(order: Sequence[str]) -> Call:
    request.max_content_length = FORM_BYTES
    charset = request.mimetype_params.get("charset", "")
    fields = read_form(request.get_data(cache=False), charset)
    query = read_form(request.query_string, charset)
    key = find_key(fields, query, request.headers.get("Host", ""), order)
    if not key:
        raise Refused(INVALID, 'Empty "api_key" value')
    return Call(_site_of(key), key, fields, query)


def _site_of(key: str) -> SiteCaller:
    caller = find_caller(key)
    if isinstance(caller, SiteCaller) and caller.kind in {KeyKind.SITE_AKISMET, KeyKind.SITE_SECRET}:
        return caller
    raise Refused(INVALID, "This key is for another door")


def _from_problem(problem: Problem) -> Refused:
    if problem.slug == "rate-limited":
        # The one answer that is no 200: clients that know it wait as long as it says.
        told = {**problem.headers, ERROR: "rate-limited"}
        return Refused("Too many requests.", "Too many requests", told, 429)
    return Refused(INVALID, "The key is not known")
