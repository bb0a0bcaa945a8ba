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

from flask import Flask, Response, abort, g, make_response, render_template, request, session, url_for
from flask.blueprints import BlueprintSetupState
from flask.sessions import SecureCookieSessionInterface

from moderation.api.access import Who, now
from moderation.api.service import service
from moderation.models import Moderator, Role
from moderation.services.access import ModeratorCaller, authenticate, key_digest

View = TypeVar("View", bound=Callable[..., Any])

LIFETIME = timedelta(hours=12)
# Where a sign-in may lead: the pages of this console, and nothing that another host could hide in.
_OWN_PAGE = re.compile(r"/console(?:/|/items/\w{1,100})?(?:\?[\w.=&%+~-]*)?", re.ASCII)


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
    """Flask's, marked for encrypted connections alone also where only the proxy knows that this is one."""

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


def sign_in(key: str) -> bool:
    """Begin a session for the moderator of this key; False for every other key."""
    with service().database.read() as reading:
        caller = authenticate(reading, key_digest(key, service().settings.secret_key))
    if not isinstance(caller, ModeratorCaller):
        return False
    # A new session with a new token: what somebody planted in the browser before is worth nothing now.
    session.clear()
    session.permanent = True
    session["moderator"] = caller.moderator_id
    session["until"] = (now() + LIFETIME).timestamp()
    return True


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
    return wanted if _OWN_PAGE.fullmatch(wanted) else url_for("console.show_queue")


def sign_in_page(status: int, wanted: str, *, wrong_key: bool = False, note: str = "") -> Response:
    """The page that asks for a key."""
    page = render_template("console/sign_in.html", wanted=own_page(wanted), wrong_key=wrong_key, note=note)
    return make_response(page, status)


def _signed_in_caller() -> ModeratorCaller | None:
    """Asked anew by each request, so that whom a maintainer disables is out at once."""
    moderator_id = session.get("moderator")
    if moderator_id is None or session.get("until", 0) < now().timestamp():
        return None
    with service().database.read() as reading:
        moderator = reading.get(Moderator, moderator_id)
    if moderator is None or moderator.disabled_at is not None:
        session.clear()
        return None
    return ModeratorCaller(moderator.id, moderator.name, Role(moderator.role))


def _sign_in_instead() -> Response:
    if request.method == "POST":
        note = "You were signed out meanwhile; nothing was changed. Sign in and decide again."
        return sign_in_page(401, "", note=note)
    # The console's front door is a page of its own right; everything behind it is refused.
    status = 200 if request.endpoint == "console.show_queue" else 401
    return sign_in_page(status, request.full_path.rstrip("?"))
