"""POST /v1/moderations: one result a text, answered by the model at once; nothing is kept."""

import json
import logging
import secrets
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from moderation import logs
from moderation.api.access import Who, find_caller, requires
from moderation.api.limits import charge_submission
from moderation.api.problems import Problem
from moderation.api.service import service
from moderation.api.watching import request_id
from moderation.compat.openai.categories import JUDGED, NAMES, their_scores
from moderation.domain.policy import CATEGORIES
from moderation.domain.scale import LOOK, PLAIN, on_their_scale
from moderation.models import KeyKind
from moderation.scoring import ModelError
from moderation.services.access import SiteCaller

log = logging.getLogger(__name__)
bp = Blueprint("openai", __name__)

MODELS = {
    "omni-moderation-latest": "omni-moderation-latest",
    "omni-moderation-2024-09-26": "omni-moderation-2024-09-26",
    "text-moderation-latest": "text-moderation-007",
    "text-moderation-stable": "text-moderation-007",
    "text-moderation-007": "text-moderation-007",
}
REQUEST_BYTES = 1024 * 1024
MOST_TEXTS = 100
# A picture may be as large as it likes: it is not looked at, but it must not be refused for its size.
_PICTURE_BYTES = 24 * 1024 * 1024


class ApiError(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, message: str, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        kind = (
            "rate_limit_error"
            if status == 429
            else "server_error"
            if status >= 500
            else "invalid_request_error"
        )
        self.status = status
        self.headers: dict[str, str] = {}
        self.told = {"message": message, "type": kind, "param": param, "code": code}


@bp.post("/v1/moderations")
@requires(Who.EVERYBODY)  # The key is found and checked here.
def moderate() -> Response:
    """Results in the order of the input."""
    try:
        return _answer(_site(), _body())
    except ApiError as error:
        return _tell(error)
    except Problem as problem:
        return _tell(_from_problem(problem))
    except HTTPException as error:
        return _tell(ApiError(error.code or 400, "The request cannot be read."))
    except ModelError as error:
        log.error("no model: %s", error)  # noqa: TRY400 - one line says it all
    except Exception as error:
        log.error("%s in a door", type(error).__name__, extra=logs.told(error))  # noqa: TRY400 - without its text
    return _tell(ApiError(503, "The service cannot answer now."))


def _answer(caller: SiteCaller, body: dict[str, Any]) -> Response:
    model = _model(body)
    texts, pictures = _texts(body.get("input"))
    charge_submission(caller, cost=len(texts))
    results = [_result(row, pictures) for row in _scored(texts)]
    return _say({"id": f"modr-{secrets.token_hex(12)}", "model": model, "results": results})


def _site() -> SiteCaller:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise ApiError(401, "You didn't provide an API key.", "invalid_api_key")
    caller = find_caller(key.strip())
    if isinstance(caller, SiteCaller) and caller.kind is KeyKind.SITE_SECRET:
        return caller
    raise ApiError(401, "Incorrect API key provided.", "invalid_api_key")


def _body() -> dict[str, Any]:
    request.max_content_length = _PICTURE_BYTES
    try:
        found = json.loads(request.get_data(cache=False))
    except (ValueError, RecursionError):
        raise ApiError(400, "We could not parse the JSON body of your request.") from None
    if not isinstance(found, dict):
        raise ApiError(400, "The body must be a JSON object.")
    return found


def _model(body: dict[str, Any]) -> str:
    model = body.get("model") or "omni-moderation-latest"
    if not isinstance(model, str):
        raise ApiError(400, "Invalid type for 'model': expected a string.", "invalid_type", "model")
    if model not in MODELS:
        told = "The model does not exist or you do not have access to it."
        raise ApiError(404, told, "model_not_found", "model")
    return MODELS[model]


def _texts(sent: Any) -> tuple[list[str], bool]:
    """The texts to judge, one result each, and whether a picture came with them; raises ApiError."""
    if isinstance(sent, str):
        return [_text(sent)], False
    if not isinstance(sent, list) or not sent:
        raise ApiError(
            400, "'input' must be a text, a list of texts, or a list of parts.", "invalid_type", "input"
        )
    if len(sent) > MOST_TEXTS:
        raise ApiError(
            400, f"'input' may hold at most {MOST_TEXTS} texts.", "array_above_max_length", "input"
        )
    if all(isinstance(one, str) for one in sent):
        return [_text(one) for one in sent], False
    return _parts(sent)


def _parts(sent: list[Any]) -> tuple[list[str], bool]:
    texts, pictures = [], 0
    for part in sent:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "text" and isinstance(part.get("text"), str):
            texts.append(_text(part["text"]))
        elif kind == "image_url" and isinstance(part.get("image_url"), dict):
            pictures += 1
        else:
            raise ApiError(400, "A part of 'input' must be a text or an image_url.", "invalid_type", "input")
    if pictures > 1:
        told = f"Number of images ({pictures}) exceeds maximum of 1"
        raise ApiError(400, told, "too_many_images", "input")
    return ["\n".join(texts)], bool(pictures)


def _text(text: str) -> str:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise ApiError(400, "The text holds half a character.", "invalid_value", "input") from None
    if size > REQUEST_BYTES:
        raise ApiError(
            400, f"A text may have at most {REQUEST_BYTES} bytes.", "string_above_max_length", "input"
        )
    return text.replace("\0", " ")


def _scored(texts: list[str]) -> list[dict[str, float]]:
    """Our categories of each text, on the scale that clients know."""
    scored = service().scorer.score([{"body": text} for text in texts])
    found = []
    for row in scored.rows:
        if any(not 0.0 <= row[category] <= 1.0 for category in CATEGORIES):
            raise ModelError("the model gave no scores")
        points = scored.operating_points
        found.append({name: on_their_scale(row[name], points.get(name, PLAIN)) for name in CATEGORIES})
    return found


def _result(row: dict[str, float], pictures: bool) -> dict[str, Any]:
    scores = their_scores(row)
    categories = {name: score >= LOOK for name, score in scores.items()}
    # A picture is never among what was applied: it was not looked at.
    applied = {name: ["text"] if name in JUDGED else [] for name in NAMES}
    told = {"flagged": any(categories.values()), "categories": categories, "category_scores": scores}
    return (
        told
        | {"category_applied_input_types": applied}
        | ({"greenroom_image_judged": False} if pictures else {})
    )


def _say(answer: dict[str, Any], status: int = 200) -> Response:
    response = Response(json.dumps(answer), status, content_type="application/json")
    response.headers["x-request-id"] = request_id()
    return response


def _tell(error: ApiError) -> Response:
    response = _say({"error": error.told}, error.status)
    response.headers.update(error.headers)
    return response


def _from_problem(problem: Problem) -> ApiError:
    if problem.slug == "rate-limited":
        error = ApiError(429, "Rate limit reached.", "rate_limit_exceeded")
        error.headers = {"retry-after": problem.headers.get("Retry-After", "1")}
        return error
    return ApiError(401, "Incorrect API key provided.", "invalid_api_key")
