"""Who calls: keys from the request, and the `requires` that every route wears."""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from functools import wraps
from typing import Any, TypeVar, cast

from flask import g, request

from moderation.api.limits import charge_unknown_key
from moderation.api.problems import Problem
from moderation.api.service import service
from moderation.models import KeyKind, Role
from moderation.services.access import (
    PUBLIC_PREFIX,
    Caller,
    ModeratorCaller,
    SiteCaller,
    authenticate,
    key_digest,
)

View = TypeVar("View", bound=Callable[..., Any])


class Who(StrEnum):
    """Who may call a route."""

    EVERYBODY = "everybody"
    SITE = "site"
    SITE_SECRET = "site with its secret key"  # noqa: S105 - words for the documentation
    MODERATOR = "moderator"
    MAINTAINER = "maintainer"


def requires(*who: Who) -> Callable[[View], View]:
    """Let only these callers through; the first of them that fits is enough."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            if Who.EVERYBODY not in who:
                caller = find_caller()
                if not any(_fits(caller, one) for one in who):
                    raise Problem("wrong-role", f"needs the key of a {' or '.join(who)}")
            return view(*args, **kwargs)

        checked.required_callers = who  # type: ignore[attr-defined]
        return cast(View, checked)

    return decorate


def find_caller(key: str | None = None) -> Caller:
    """Who shows a key (by default the request's); raises a Problem for none or an unknown one."""
    shown = key or _key_of_request()
    if not shown:
        raise Problem("missing-key", headers={"WWW-Authenticate": "Bearer"})
    caller = service().callers.get(shown) or _look_up(shown)
    g.caller = caller
    return caller


def site_caller() -> SiteCaller:
    """The calling site, after `requires`."""
    return cast(SiteCaller, g.caller)


def moderator_caller() -> ModeratorCaller:
    """The calling moderator, after `requires`."""
    return cast(ModeratorCaller, g.caller)


def check_origin(caller: SiteCaller) -> None:
    """A public key is no secret: what it may do, it may do only from the site's own pages."""
    if caller.kind is KeyKind.SITE_PUBLIC and request.headers.get("Origin") not in caller.allowed_origins:
        raise Problem("origin-not-allowed", "a public key needs an Origin header the site allows")


def now() -> datetime:
    """The time of this request."""
    return datetime.now(UTC)


def _look_up(key: str) -> Caller:
    digest = key_digest(key, service().settings.secret_key)
    with service().database.read() as session:
        caller = authenticate(session, digest)
    if caller is None:
        charge_unknown_key()
        raise Problem("unknown-key", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
    # Only sites, who call a thousand times a second: a moderator who was disabled is out at once.
    if isinstance(caller, SiteCaller):
        service().callers.put(key, caller)
    return caller


def _key_of_request() -> str | None:
    shown: str = request.environ.get("HTTP_AUTHORIZATION", "")
    scheme, _, key = shown.partition(" ")
    if scheme.lower() == "bearer" and key.strip():
        return key.strip()
    # Addresses end up in logs, so no secret is taken from one.
    public = request.args.get("site_key", "")
    return request.headers.get("X-Site-Key") or (public if public.startswith(PUBLIC_PREFIX) else None)


def _fits(caller: Caller, who: Who) -> bool:
    if isinstance(caller, SiteCaller):
        secret = caller.kind is KeyKind.SITE_SECRET
        return (who is Who.SITE_SECRET and secret) or (
            who is Who.SITE and caller.kind in {KeyKind.SITE_SECRET, KeyKind.SITE_PUBLIC}
        )
    return who is Who.MODERATOR or (who is Who.MAINTAINER and caller.role is Role.MAINTAINER)
