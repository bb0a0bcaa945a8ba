"""comments:suggestscore: what a site's moderators say about a text, kept as labels."""

from typing import Any

from moderation.api.access import now
from moderation.api.service import service
from moderation.compat.perspective.attributes import CATEGORY_OF
from moderation.compat.perspective.call import charge, method, wrong
from moderation.compat.perspective.comment import detected, read_languages, read_text, refuse_context
from moderation.domain.sources import Source, Teacher
from moderation.services.access import SiteCaller
from moderation.services.labels import label_text

# A suggestion is a share of people who would say so: half of them make it true.
TRUE_FROM = 0.5


@method("comments:suggestscore")
def suggest_score(caller: SiteCaller, body: dict[str, Any]) -> dict[str, Any]:
    """A text with labels of the source `perspective`; the same text again replaces them."""
    text = read_text(body.get("comment"))
    refuse_context(body.get("context"))
    labels = _labels(body.get("attributeScores"))
    asked = read_languages(body.get("languages"))
    found = detected(text, asked)
    charge(caller)
    with service().database.write() as session:
        teacher = Teacher(Source.PERSPECTIVE, caller.site_id)
        label_text(session, {"body": text[:20_000].strip()}, labels, now(), teacher)
    answer: dict[str, Any] = {"requestedLanguages": asked, "detectedLanguages": found}
    return answer | ({"clientToken": body["clientToken"]} if "clientToken" in body else {})


def _labels(suggested: Any) -> dict[str, bool]:
    """Our categories with what is suggested of them; raises ApiError."""
    if not isinstance(suggested, dict) or not suggested:
        raise wrong("INVALID_REQUEST", "Missing attribute_scores")
    return {_category(str(name)): _value(scores) >= TRUE_FROM for name, scores in suggested.items()}


def _category(name: str) -> str:
    if name not in CATEGORY_OF:
        raise wrong("INVALID_REQUEST", f"Unknown requested attribute: {name}")
    return CATEGORY_OF[name]


def _value(scores: Any) -> float:
    """The score of the whole text, or the highest of its parts."""
    found = scores if isinstance(scores, dict) else {}
    parts = found.get("spanScores")
    given = (
        [found.get("summaryScore"), *(part.get("score") for part in parts if isinstance(part, dict))]
        if (isinstance(parts, list))
        else [found.get("summaryScore")]
    )
    values = [one.get("value") for one in given if isinstance(one, dict)]
    numbers = [float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if not numbers or not all(0.0 <= number <= 1.0 for number in numbers):
        raise wrong("INVALID_REQUEST", "A score from 0 to 1 is needed.")
    return numbers[0] if isinstance(found.get("summaryScore"), dict) else max(numbers)
