"""What every call has: JSON in either spelling, a known key, and errors as Google's clients read them."""

import json
import logging
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from moderation import logs
from moderation.api.access import Who, find_caller, requires
from moderation.api.limits import charge_submission
from moderation.api.problems import Problem
from moderation.database import Unavailable
from moderation.models import KeyKind
from moderation.scoring import ModelError
from moderation.services.access import SiteCaller

log = logging.getLogger(__name__)
bp = Blueprint("perspective", __name__)

OWN_TYPE = "type.googleapis.com/google.commentanalyzer.v1alpha1.Error"
INFO_TYPE = "type.googleapis.com/google.rpc.ErrorInfo"
BAD_KEY = "API key not valid. Please pass a valid API key."
REQUEST_BYTES = 256 * 1024
_HUMP = re.compile(r"_([a-z0-9])")


class ApiError(Exception):
    """An answer that is an error: HTTP code, Google's status word, what is told, and details."""

    def __init__(self, code: int, status: str, message: str, detail: dict[str, Any]) -> None:
        super().__init__(message)
        self.code, self.status, self.message, self.detail = code, status, message, detail
        self.headers: dict[str, str] = {}


def wrong(kind: str, message: str, **more: Any) -> ApiError:
    """A request that cannot be answered, in the analyzer's own words."""
    return ApiError(400, "INVALID_ARGUMENT", message, {"@type": OWN_TYPE, "errorType": kind, **more})


View = Callable[[SiteCaller, dict[str, Any]], dict[str, Any]]


def method(name: str) -> Callable[[View], View]:
    """Serve a custom method such as `comments:analyze`; what it raises is told as Google tells it."""

    def decorate(view: View) -> View:
        @bp.post(f"/v1alpha1/{name}", endpoint=view.__name__)
        @requires(Who.EVERYBODY)  # The key is found and checked here.
        @wraps(view)
        def answered() -> Response:
            return in_dialect(lambda: say(view(site_of_call(), read_body())))

        return view

    return decorate


def in_dialect(work: Callable[[], Response]) -> Response:
    """Run something and turn whatever it raises into an answer that clients understand."""
    try:
        return work()
    except ApiError as error:
        return _tell(error)
    except Problem as problem:
        return _tell(_from_problem(problem))
    except HTTPException as error:
        return _tell(
            wrong("INVALID_REQUEST", "Request payload is not valid." if error.code != 413 else "Too large.")
        )
    except ModelError as error:
        log.error("no model: %s", error)  # noqa: TRY400 - one line says it all
    except Unavailable as error:
        log.error("the database cannot be used (%s)", error, extra={"kind": "database"})  # noqa: TRY400
    except Exception as error:
        log.error("%s in a door", type(error).__name__, extra=logs.told(error))  # noqa: TRY400 - without its text
        return _tell(ApiError(500, "INTERNAL", "Internal error encountered.", {"@type": OWN_TYPE}))
    told = {"@type": OWN_TYPE, "errorType": "UNAVAILABLE"}
    return _tell(ApiError(503, "UNAVAILABLE", "The service is currently unavailable.", told))


def site_of_call() -> SiteCaller:
    """The site whose key stands in the address or the header; raises ApiError."""
    key = request.args.get("key") or request.headers.get("X-Goog-Api-Key", "")
    if not key:
        detail = _info("CREDENTIALS_MISSING")
        raise ApiError(403, "PERMISSION_DENIED", "The request is missing a valid API key.", detail)
    caller = find_caller(key)
    if isinstance(caller, SiteCaller) and caller.kind in {KeyKind.SITE_AKISMET, KeyKind.SITE_SECRET}:
        return caller
    raise bad_key()


def bad_key() -> ApiError:
    """A key that nobody here has."""
    return ApiError(400, "INVALID_ARGUMENT", BAD_KEY, _info("API_KEY_INVALID"))


def charge(caller: SiteCaller) -> None:
    """Count a comment of the site."""
    charge_submission(caller)


def read_body() -> dict[str, Any]:
    """The JSON object sent, its members in camelCase; raises ApiError."""
    request.max_content_length = REQUEST_BYTES
    try:
        found = json.loads(request.get_data(cache=False) or b"{}")
    except (ValueError, RecursionError):
        raise wrong("INVALID_REQUEST", "Invalid JSON payload received.") from None
    if not isinstance(found, dict):
        raise wrong("INVALID_REQUEST", "Invalid JSON payload received.")
    body: dict[str, Any] = in_camel_case(found)
    return body


def in_camel_case(value: Any) -> Any:
    """Google's JSON takes both spellings of a name; names of attributes are upper case and stay.

    >>> in_camel_case({"requested_attributes": {"SEVERE_TOXICITY": {"score_threshold": 0.5}}})
    {'requestedAttributes': {'SEVERE_TOXICITY': {'scoreThreshold': 0.5}}}
    """
    if isinstance(value, dict):
        return {_HUMP.sub(lambda m: m[1].upper(), str(name)): in_camel_case(v) for name, v in value.items()}
    return [in_camel_case(one) for one in value] if isinstance(value, list) else value


def say(answer: dict[str, Any], code: int = 200) -> Response:
    """JSON as Google sends it."""
    return Response(json.dumps(answer), code, content_type="application/json; charset=UTF-8")


def _info(reason: str) -> dict[str, Any]:
    service = {"service": "commentanalyzer.googleapis.com"}
    return {"@type": INFO_TYPE, "reason": reason, "domain": "googleapis.com", "metadata": service}


def _tell(error: ApiError) -> Response:
    # PyPerspective reads the first detail of every error.
    told = {"code": error.code, "message": error.message, "status": error.status, "details": [error.detail]}
    response = say({"error": told}, error.code)
    response.headers.update(error.headers)
    return response


def _from_problem(problem: Problem) -> ApiError:
    if problem.slug == "rate-limited":
        error = ApiError(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", _info("RATE_LIMIT_EXCEEDED"))
        error.headers = dict(problem.headers)
        return error
    return bad_key()
