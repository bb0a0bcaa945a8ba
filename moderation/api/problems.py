"""Errors as RFC 9457 problem details: one table of types, one shape, never comment text or a stack trace."""

import logging
from typing import Any

from flask import Flask, Response, json, request
from werkzeug.exceptions import HTTPException

from moderation import logs
from moderation.api.watching import request_id, route
from moderation.database import Unavailable
from moderation.intake import Overloaded
from moderation.schemas.fields import utc_text
from moderation.services import errors
from moderation.services.access import NameTaken
from moderation.signing import BadCursor

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
# When too many comments wait to be scored: long enough for workers to get ahead.
RETRY_SECONDS = "5"
TYPE_PREFIX = "urn:greenroom:problem:"

# Every type, its HTTP status and its title; docs/api.md lists the same and is tested against this.
PROBLEMS: dict[str, tuple[int, str]] = {
    "malformed": (400, "The request cannot be read"),
    "invalid-cursor": (400, "The cursor cannot be used here"),
    "missing-key": (401, "A key is needed"),
    "unknown-key": (401, "The key is not known"),
    "wrong-role": (403, "This key may not do that"),
    "origin-not-allowed": (403, "The site does not allow this origin"),
    "not-found": (404, "There is no such thing"),
    "method-not-allowed": (405, "This address does not take that method"),
    "not-allowed": (409, "The comment's status does not allow that"),
    "claimed": (409, "Another moderator holds a claim"),
    "not-reversible": (409, "The decision cannot be undone"),
    "external-id-taken": (409, "The site already handed in a comment with this external_id"),
    "name-taken": (409, "Somebody has this name already"),
    "run-in-progress": (409, "A retraining run is under way"),
    "shadow-refused": (409, "The model cannot score in the shadow now"),
    "nothing-to-roll-back": (409, "No earlier model to return to"),
    "champion-changed": (409, "Another model came into force meanwhile"),
    "stale": (412, "The queue item changed meanwhile"),
    "too-large": (413, "The request is too large"),
    "wrong-content-type": (415, "This content type is not taken here"),
    "invalid": (422, "A member of the request cannot be used"),
    "key-reused": (422, "The Idempotency-Key was used for another request"),
    "parent-not-found": (422, "parent_id is no comment of this thread"),
    "if-match-required": (428, "An If-Match header is needed"),
    "rate-limited": (429, "Too many requests"),
    "internal": (500, "Something went wrong here"),
    "model-unusable": (503, "The model cannot be used"),
    "overloaded": (503, "Too many comments wait already"),
    "unavailable": (503, "The service cannot answer now"),
}
_BY_STATUS = {400: "malformed", 404: "not-found", 405: "method-not-allowed", 413: "too-large"} | {
    415: "wrong-content-type",
    422: "invalid",
}
_BY_ERROR: dict[type[Exception], str] = {
    errors.NotFound: "not-found",
    errors.ParentNotFound: "parent-not-found",
    errors.ExternalIdTaken: "external-id-taken",
    errors.KeyReused: "key-reused",
    errors.NotAllowed: "not-allowed",
    errors.StaleItem: "stale",
    errors.ClaimedByOther: "claimed",
    errors.NotReversible: "not-reversible",
    errors.RunInProgress: "run-in-progress",
    errors.ShadowRefused: "shadow-refused",
    errors.NeedsMaintainer: "wrong-role",
    errors.StalePolicy: "stale",
    NameTaken: "name-taken",
    BadCursor: "invalid-cursor",
}


class Problem(Exception):
    """An error to answer with; `slug` is a key of PROBLEMS, `more` are extension members."""

    def __init__(
        self, slug: str, detail: str | None = None, headers: dict[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(slug)
        self.slug, self.detail, self.headers, self.more = slug, detail, headers or {}, more


def problem_response(problem: Problem) -> Response:
    """The answer that tells of a problem."""
    body = {**problem_body(problem), "instance": request.path, **problem.more}
    return Response(json.dumps(body), body["status"], {"Content-Type": MEDIA_TYPE, **problem.headers})


def problem_body(problem: Problem) -> dict[str, Any]:
    """The members every problem has."""
    status, title = PROBLEMS[problem.slug]
    body: dict[str, Any] = {"type": TYPE_PREFIX + problem.slug, "title": title, "status": status}
    body["request_id"] = request_id()
    return body | ({"detail": problem.detail} if problem.detail else {})


def register_error_handlers(app: Flask) -> None:
    """Turn whatever a view raises into a problem."""
    app.register_error_handler(Problem, problem_response)
    app.register_error_handler(HTTPException, _from_http)
    app.register_error_handler(errors.ServiceError, _from_error)
    app.register_error_handler(BadCursor, _from_error)
    app.register_error_handler(Overloaded, _from_overload)
    app.register_error_handler(Unavailable, _from_outage)
    app.register_error_handler(Exception, _from_bug)


def slug_of(error: Exception) -> str:
    """The problem type of a refused use case."""
    return _BY_ERROR[type(error)]


def problem_of(error: Exception) -> Problem:
    """A refused use case as a problem, with the facts the caller needs to go on."""
    more: dict[str, Any] = {}
    if isinstance(error, errors.StaleItem):
        at = utc_text(error.at) if error.at else None
        more = {"current_version": error.version, "decided_by": error.decided_by}
        more |= {"action": error.action, "at": at}
    elif isinstance(error, errors.StalePolicy):
        more = {"current_version": error.version}
    elif isinstance(error, errors.ClaimedByOther):
        more = {"claimed_by": error.holder, "until": utc_text(error.until)}
    elif isinstance(error, errors.ExternalIdTaken):
        more = {"comment_id": error.comment_id or None}
    elif isinstance(error, errors.RunInProgress):
        more = {"run_id": error.run_id}
    return Problem(slug_of(error), str(error), **more)


def _from_error(error: Exception) -> Response:
    return problem_response(problem_of(error))


def _from_http(error: HTTPException) -> Response | HTTPException:
    if error.code is not None and error.code < 400:
        return error
    slug = _BY_STATUS.get(error.code or 500, "internal" if (error.code or 500) >= 500 else "malformed")
    messages = getattr(error, "data", {}).get("messages")
    headers = {name: value for name, value in error.get_headers() if name in {"Allow", "Retry-After"}}
    if not isinstance(messages, dict):
        return problem_response(Problem(slug, headers=headers))
    found = list(_flatten(messages))
    return problem_response(
        Problem(slug, "; ".join(f"{p}: {d}" for p, d in found[:3]), errors=_listed(found))
    )


def invalid(messages: dict[str, Any]) -> Problem:
    """A marshmallow error as a problem that points at each member."""
    found = list(_flatten(messages))
    return Problem("invalid", "; ".join(f"{p}: {d}" for p, d in found[:3]), errors=_listed(found))


def _listed(found: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"pointer": pointer, "detail": detail} for pointer, detail in found]


def _flatten(messages: Any, pointer: str = "") -> Any:
    """Nested messages as JSON pointers (RFC 6901) with their texts; webargs' outer location is dropped."""
    if isinstance(messages, dict):
        for name, inner in messages.items():
            outer = name == "_schema" or (pointer == "" and name in {"json", "query"})
            step = "" if outer else "/" + str(name).replace("~", "~0").replace("/", "~1")
            yield from _flatten(inner, pointer + step)
    elif isinstance(messages, list):
        for inner in messages:
            yield from _flatten(inner, pointer)
    else:
        yield pointer or "/", str(messages)


def overloaded() -> Problem:
    """So many comments wait that nothing more is taken in for now."""
    return Problem("overloaded", "try again later", headers={"Retry-After": RETRY_SECONDS})


def _from_overload(_error: Exception) -> Response:
    return problem_response(overloaded())


def _from_outage(error: Exception) -> Response:
    told = {"kind": "database", "method": request.method, "route": route()}
    log.error("the database cannot be used (%s)", error, extra=told)
    return problem_response(Problem("unavailable", headers={"Retry-After": "1"}))


def _from_bug(error: Exception) -> Response:
    told = {"method": request.method, "route": route(), **logs.told(error)}
    log.error("%s on %s %s", type(error).__name__, request.method, route(), extra=told)
    return problem_response(Problem("internal"))
