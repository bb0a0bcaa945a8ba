"""The statuses of a comment and the table of allowed transitions."""

from enum import StrEnum


class Status(StrEnum):
    """Where a comment stands."""

    PENDING = "pending"
    APPROVED = "approved"
    HELD = "held"
    REJECTED = "rejected"
    REMOVED = "removed"


class Action(StrEnum):
    """What a decision does; each leads to exactly one status."""

    APPROVE = "approve"
    HOLD = "hold"
    REJECT = "reject"
    EDIT = "edit"
    REMOVE = "remove"


LEADS_TO: dict[Action, Status] = {
    Action.APPROVE: Status.APPROVED,
    Action.HOLD: Status.HELD,
    Action.REJECT: Status.REJECTED,
    Action.EDIT: Status.PENDING,
    Action.REMOVE: Status.REMOVED,
}
ACTION_FOR: dict[Status, Action] = {status: action for action, status in LEADS_TO.items()}

TRANSITIONS: dict[Status, frozenset[Action]] = {
    Status.PENDING: frozenset({Action.APPROVE, Action.HOLD, Action.REJECT, Action.EDIT, Action.REMOVE}),
    Status.HELD: frozenset({Action.APPROVE, Action.REJECT, Action.EDIT, Action.REMOVE}),
    Status.APPROVED: frozenset({Action.HOLD, Action.REJECT, Action.EDIT, Action.REMOVE}),
    Status.REJECTED: frozenset({Action.HOLD, Action.APPROVE, Action.EDIT, Action.REMOVE}),
    Status.REMOVED: frozenset(),
}


def may(status: Status, action: Action) -> bool:
    """Whether a comment with this status may be decided this way.

    >>> may(Status.PENDING, Action.HOLD), may(Status.REMOVED, Action.APPROVE)
    (True, False)
    """
    return action in TRANSITIONS[status]
