"""What a moderator's decision teaches: decision -> labels."""

from collections.abc import Mapping

from moderation.domain.policy import CATEGORIES
from moderation.domain.status import Action

# "toxic" is the word moderators use; the category is called toxicity.
_REASON_CATEGORY = {"toxic": "toxicity"} | {category: category for category in CATEGORIES}


def labels_taught(action: Action, reason: str, explicit: Mapping[str, bool] | None = None) -> dict[str, bool]:
    """The labels of one decision; what is not named was not judged and stays unknown.

    Approval says: neither spam nor toxic enough. Rejection says only what its reason says. Labels the
    moderator gave win over both.

    >>> labels_taught(Action.REJECT, "spam")
    {'spam': True}
    >>> labels_taught(Action.APPROVE, "clean", {"insult": True})
    {'spam': False, 'toxicity': False, 'insult': True}
    """
    taught: dict[str, bool] = {}
    if action is Action.APPROVE:
        taught = {"spam": False, "toxicity": False}
    elif action is Action.REJECT and reason in _REASON_CATEGORY:
        category = _REASON_CATEGORY[reason]
        taught = {category: True}
        if category not in {"spam", "toxicity"}:
            taught["toxicity"] = True
    return taught | dict(explicit or {})
