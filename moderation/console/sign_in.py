"""Who is signed in: a signed cookie that names the moderator, and the token that every form carries.

No library for either: Flask signs the cookie already, and a token is one random value and one comparison.
"""

import hmac
import re
import secrets
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, TypeVar, cast

from flask import (
    Flask,
    Request,
    Response,
    abort,
    g,
    make_response,
    render_template,
    request,
    session,
    url_for,
)
from flask.blueprints import BlueprintSetupState
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from sqlalchemy.orm import Session

from moderation.api.access import Who, now
from moderation.api.problems import Problem
from moderation.api.service import service
from moderation.models import Moderator, Role
from moderation.passwords import fits
from moderation.services.access import ModeratorCaller, authenticate, key_digest
from moderation.services.people import named

View = TypeVar("View", bound=Callable[..., Any])

# A session ends after so long, and sooner when nobody did anything.
LIFETIME, IDLE = timedelta(hours=12), timedelta(hours=2)
# Where a sign-in may lead: the pages of this console, and nothing that another host could hide in.
_OWN_PAGE = re.compile(r"/console(?:/[\w-][\w.-]*){0,4}/?(?:\?[\w.=&%+~-]*)?", re.ASCII)
# What nobody wants to come back to.
# How exact it is known when somebody was last seen: not every answer need carry a new cookie.
SEEN_SECONDS = 60
_NO_PAGE = ("/console/sign-in", "/console/sign-out", "/console/counts")


def configure_cookie(state: BlueprintSetupState) -> None:
    """The session's cookie goes to the console's pages alone and is out of reach of scripts."""
    settings = state.app.extensions["greenroom"].settings
    state.app.session_interface = SessionCookie()  # type: ignore[attr-defined]
    state.app.config.update(
        SESSION_COOKIE_NAME="greenroom_console",
        SESSION_COOKIE_PATH=state.url_prefix,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.public_url.startswith("https://"),
        PERMANENT_SESSION_LIFETIME=LIFETIME,
    )


class SessionCookie(SecureCookieSessionInterface):
    """Flask's, marked for encrypted connections alone also where only the proxy knows that this is one.

    Who sends no cookie and asks for none, as blogs do, does not wait for a signer to be made.
    """

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if "HTTP_COOKIE" not in request.environ:
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if session or session.accessed or session.modified:
            super().save_session(app, session, response)

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure or super().get_cookie_secure(app)


def signed_in(view: View) -> View:
    """Let only a signed-in moderator or maintainer through; anybody else gets the page to sign in."""

    @wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Any:
        caller = _signed_in_caller()
        if caller is None:
            return _sign_in_instead()
        g.caller = caller
        return view(*args, **kwargs)

    checked.required_callers = (Who.MODERATOR,)  # type: ignore[attr-defined]
    return cast(View, checked)


def maintainers_only(view: View) -> View:
    """Let only a signed-in maintainer through."""

    @wraps(view)
    @signed_in
    def checked(*args: Any, **kwargs: Any) -> Any:
        if g.caller.role is not Role.MAINTAINER:
            raise Problem("wrong-role", "This page is for maintainers.")
        return view(*args, **kwargs)

    checked.required_callers = (Who.MAINTAINER,)  # type: ignore[attr-defined]
    return cast(View, checked)


def sign_in(key: str) -> bool:
    """Begin a session for the moderator of this key; False for every other key."""
    digest = key_digest(key, service().settings.secret_key)
    with service().database.read() as reading:
        caller = authenticate(reading, digest)
    if not isinstance(caller, ModeratorCaller):
        return False
    # The key's own digest, so that the session ends when the key is revoked.
    _begin(caller, key=digest)
    return True


def sign_in_by_password(name: str, password: str) -> bool:
    """Begin a session for the moderator of this name and password; False for every other."""
    with service().database.read() as reading:
        person = named(reading, name)
    # Compared in any case, so that the time it takes does not tell which names there are.
    if not fits(person.password_hash if person else None, password) or person is None:
        return False
    _begin(ModeratorCaller(person.id, person.name, Role(person.role)))
    return True


def _begin(caller: ModeratorCaller, key: str = "") -> None:
    # A new session with a new token: what somebody planted in the browser before is worth nothing now.
    session.clear()
    session.permanent = True
    session["moderator"], session["key"] = caller.moderator_id, key
    session["since"], session["seen"] = now().timestamp(), now().timestamp()
    session["until"] = (now() + LIFETIME).timestamp()


def shows_severe() -> bool:
    """Whether this session shows severe texts at once."""
    return bool(session.get("severe"))


def show_severe(wanted: bool) -> None:
    """Show severe texts at once, or only when asked."""
    session["severe"] = wanted


def form_token() -> str:
    """The token of this session's forms; made when first needed."""
    token: str = session.setdefault("token", secrets.token_urlsafe(32))
    return token


def check_form_token() -> None:
    """Refuse every form that another site's page could have sent in a moderator's name."""
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return
    expected = session.get("token", "")
    shown = request.form.get("token", "")
    if not expected or not hmac.compare_digest(expected.encode(), shown.encode("utf-8", "replace")):
        abort(400, "This form is not valid any more, or your browser keeps no cookies. Nothing was changed.")


def own_page(wanted: str) -> str:
    """The address to return to if it is a page of this console, or else the queue.

    >>> own_page("/console/items/item_1?reason=spam")
    '/console/items/item_1?reason=spam'
    """
    fits = _OWN_PAGE.fullmatch(wanted) and not wanted.startswith(_NO_PAGE)
    return wanted if fits else url_for("console.show_queue")


def sign_in_page(status: int, wanted: str, *, wrong: str = "", note: str = "") -> Response:
    """The page that asks who it is; `wrong` is what was not right, the key or the name."""
    page = render_template("console/sign_in.html", wanted=own_page(wanted), wrong=wrong, note=note)
    return make_response(page, status)


def _signed_in_caller() -> ModeratorCaller | None:
    """Asked anew by each request, so that whom a maintainer lets out is out at once."""
    at, moderator_id = now().timestamp(), session.get("moderator")
    if (
        moderator_id is None
        or session.get("until", 0) < at
        or session.get("seen", 0) < at - IDLE.total_seconds()
    ):
        return None
    with service().database.read() as reading:
        moderator = reading.get(Moderator, moderator_id)
        good = _is_good(reading, moderator)
    if moderator is None or not good:
        session.clear()
        return None
    # The open page asks by itself how long the queue is: that is nobody at work.
    if request.endpoint != "console.show_counts" and at - session["seen"] > SEEN_SECONDS:
        session["seen"] = at
    return ModeratorCaller(moderator.id, moderator.name, Role(moderator.role))


def _is_good(reading: Session, moderator: Moderator | None) -> bool:
    """Whether the session may go on: its person, its key and its password are as they were."""
    if moderator is None or moderator.disabled_at is not None:
        return False
    since = moderator.sessions_since
    if since is not None and session.get("since", 0) < since.timestamp():
        return False
    key = session.get("key")
    return not key or authenticate(reading, key) is not None


def _sign_in_instead() -> Response:
    if request.method == "POST":
        note = "You were signed out meanwhile; nothing was changed. Sign in and decide again."
        return sign_in_page(401, "", note=note)
    # The console's front door is a page of its own right; everything behind it is refused.
    status = 200 if request.endpoint == "console.show_queue" else 401
    return sign_in_page(status, request.full_path.rstrip("?"))
