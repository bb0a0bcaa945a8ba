"""A moderator's word on a comment, as it is sent."""

from typing import Any

from moderation.api.problems import Problem
from moderation.domain.policy import CLEAN
from moderation.domain.status import Action
from moderation.services.moderate import Ruling

_MISSING_REASON = {"pointer": "/reason", "detail": "Missing data for required field."}


def ruling_of(data: dict[str, Any]) -> Ruling:
    """What passed the schema as a ruling; raises a Problem for a rejection that gives no reason."""
    action = Action(data["action"])
    reason = data.get("reason")
    if reason is None and action is Action.REJECT:
        raise Problem("invalid", "a rejection needs a reason", errors=[_MISSING_REASON])
    return Ruling(action, reason or CLEAN, data["labels"], data.get("note"))
