"""A site's policy as a form: one line a setting, and back again."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from moderation.domain.policy import CATEGORIES, Mode


class Field(NamedTuple):
    """A setting of the form: its kind, what it is called, and what it does."""

    name: str
    kind: str
    label: str
    help: str


FORM = (
    Field("mode", "mode", "Who decides", "The policy by itself, or people: then it only says what it found."),
    Field("link_limit", "number", "Links allowed", "More than these and a person looks."),
    Field("repeat_limit", "number", "Repeats allowed", "How often the same text may come within a day."),
    Field(
        "blocked_words", "words", "Words that need a look", "One a line. A comment with one of them is held."
    ),
    Field("close_after_days", "optional", "Close threads after days", "Empty for never."),
    Field("report_limit", "number", "Reports that ask for a person", "Of a published comment; 0 for none."),
    Field(
        "memory_days", "number", "Days that decisions are remembered", "For near-copies; 0 switches it off."
    ),
    Field("memory_rejections", "number", "Rejections that reject a near-copy", "0: they only hold it."),
    Field("domain_rejections", "number", "Rejections from which a domain holds", "0 for never."),
    Field("hold_new_domains", "switch", "Hold links to domains never seen", ""),
    Field("hold_first_comments", "switch", "Hold authors never approved before", ""),
    Field(
        "spot_check_share",
        "percent",
        "Spot checks, in percent",
        "Of what no person decided, looked at all the same. Empty: the installation's.",
    ),
    Field("trust_roles", "switch", "Akismet door: believe who is an administrator", ""),
    Field("toxic_is_spam", "switch", "Akismet door: call toxic comments spam", ""),
    Field("queue_spam_checks", "switch", "Akismet door: bring doubtful comments into the queue", ""),
)
_LARGEST = 1_000_000


def changes_from(form: Mapping[str, str]) -> dict[str, Any]:
    """The form's settings as the policy keeps them; raises ValueError naming the one that cannot be."""
    changes = {field.name: _read(field, form.get(field.name, "")) for field in FORM}
    return changes | {"thresholds": _thresholds(form), "promises": _promises(form)}


def _read(field: Field, text: str) -> Any:
    if field.kind == "mode":
        if text not in set(Mode):
            raise ValueError("Choose who decides.")
        return text
    if field.kind == "switch":
        return text == "yes"
    if field.kind == "words":
        return [line.strip() for line in text.splitlines() if line.strip()]
    if field.kind in {"optional", "percent"} and not text.strip():
        return None
    if field.kind == "percent":
        return _percent(field.label, text)
    return _number(field.label, text)


def _number(label: str, text: str) -> int:
    if not text.strip().isdecimal() or int(text) > _LARGEST:
        raise ValueError(f"{label}: a whole number, 0 or more, is needed.")
    return int(text)


def _percent(label: str, text: str) -> float:
    try:
        percent = float(text)
    except ValueError:
        percent = -1.0
    if not 0.0 <= percent <= 100.0:
        raise ValueError(f"{label}: a number from 0 to 100 is needed.")
    # Not the binary fraction of 99.5 / 100.
    return round(percent / 100, 6)


def _promises(form: Mapping[str, str]) -> dict[str, dict[str, float | None]]:
    """Empty fields promise nothing."""
    found: dict[str, dict[str, float | None]] = {}
    for category in CATEGORIES:
        sides = {side: form.get(f"promise-{side}-{category}", "").strip() for side in ("publish", "reject")}
        if any(sides.values()):
            found[category] = {
                side: _percent(f"The promise of {category.replace('_', ' ')}", text) if text else None
                for side, text in sides.items()
            }
    return found


def _thresholds(form: Mapping[str, str]) -> dict[str, dict[str, float | None]]:
    """Empty fields leave a category to the model's own thresholds."""
    found: dict[str, dict[str, float | None]] = {}
    for category in CATEGORIES:
        hold, reject = (form.get(f"{which}-{category}", "").strip() for which in ("hold", "reject"))
        if hold:
            found[category] = {
                "hold": _share(category, hold),
                "reject": _share(category, reject) if reject else None,
            }
        elif reject:
            raise ValueError(f"{category.replace('_', ' ')}: a score to reject from needs one to hold from.")
    return found


def _share(category: str, text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"{category.replace('_', ' ')}: a score is a number from 0 to 1.")
    return share
