"""comments:analyze: scores of the attributes asked for, of the whole text and of its parts."""

from collections.abc import Mapping
from typing import Any

from moderation.api.service import service
from moderation.compat.perspective.attributes import CATEGORY_OF, NOT_HERE
from moderation.compat.perspective.call import charge, method, wrong
from moderation.compat.perspective.comment import (
    detected,
    read_languages,
    read_text,
    refuse_context,
    refuse_languages,
)
from moderation.compat.perspective.spans import sentences, units
from moderation.domain.scale import PLAIN, on_their_scale
from moderation.scoring import ModelError
from moderation.services.access import SiteCaller

TYPES = ("PROBABILITY", "SCORE_TYPE_UNSPECIFIED")


@method("comments:analyze")
def analyze(caller: SiteCaller, body: dict[str, Any]) -> dict[str, Any]:
    """Nothing is kept of the text, whatever `doNotStore` says."""
    text = read_text(body.get("comment"))
    wanted = _attributes(body.get("requestedAttributes"))
    refuse_context(body.get("context"))
    asked = read_languages(body.get("languages"))
    found = detected(text, asked)
    for name in wanted:
        refuse_languages(name, asked, found)
    charge(caller)
    answer: dict[str, Any] = {"attributeScores": _scores(text, wanted, bool(body.get("spanAnnotations")))}
    answer |= {"languages": asked or found, "detectedLanguages": found}
    return answer | ({"clientToken": body["clientToken"]} if "clientToken" in body else {})


def _attributes(asked: Any) -> dict[str, float | None]:
    """Each attribute asked for with the score below which it is left out; raises ApiError."""
    if not isinstance(asked, dict) or not asked:
        raise wrong("NO_REQUESTED_ATTRIBUTES", "Missing requested_attributes")
    return {str(name): _threshold(str(name), options) for name, options in asked.items()}


def _threshold(name: str, options: Any) -> float | None:
    if name not in CATEGORY_OF:
        # Those that the model has not are no more known here than those that nobody has.
        raise wrong("INVALID_REQUEST", f"Unknown requested attribute: {name}")
    found = options if isinstance(options, dict) else {}
    kind = found.get("scoreType", TYPES[0])
    if kind not in TYPES:
        raise wrong("INVALID_REQUEST", f"Requested score type {kind} is not supported by attribute {name}")
    least = found.get("scoreThreshold")
    # One client wraps the number.
    least = least.get("value") if isinstance(least, dict) else least
    if least is not None and (isinstance(least, bool) or not isinstance(least, int | float)):
        raise wrong("INVALID_REQUEST", "Invalid value at 'score_threshold'.")
    return least


def _scores(text: str, wanted: Mapping[str, float | None], by_sentence: bool) -> dict[str, Any]:
    parts = sentences(text) if by_sentence else [(0, units(text), text)]
    texts = [text] if len(parts) == 1 else [text, *(piece for _, _, piece in parts)]
    scored = service().scorer.score([{"body": one} for one in texts])
    if any(not 0.0 <= value <= 1.0 for row in scored.rows for value in row.values()):
        raise ModelError("the model gave no scores")
    found: dict[str, Any] = {}
    for name, least in wanted.items():
        category = CATEGORY_OF[name]
        point = scored.operating_points.get(category, PLAIN)
        values = [on_their_scale(row[category], point) for row in scored.rows]
        if least is not None and values[0] < least:
            continue
        of_parts = values if len(parts) == 1 else values[1:]
        spans = [
            {"begin": begin, "end": end, "score": _score(value)}
            for (begin, end, _), value in zip(parts, of_parts, strict=True)
        ]
        found[name] = {"spanScores": spans, "summaryScore": _score(values[0])}
    return found


def _score(value: float) -> dict[str, Any]:
    return {"value": value, "type": TYPES[0]}


__all__ = ["NOT_HERE", "analyze"]
