"""Webhooks: which events there are, what they say, and when a delivery is tried again."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from moderation.domain.status import Status


class Event(StrEnum):
    """What an endpoint may ask to be told."""

    APPROVED = "comment.approved"
    HELD = "comment.held"
    REJECTED = "comment.rejected"
    REMOVED = "comment.removed"
    REVERSED = "decision.reversed"
    PROMOTED = "model.promoted"


class DeliveryStatus(StrEnum):
    """Where a delivery stands; a dead one is tried again only if somebody asks."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


_OF_STATUS = {
    Status.APPROVED: Event.APPROVED,
    Status.HELD: Event.HELD,
    Status.REJECTED: Event.REJECTED,
    Status.REMOVED: Event.REMOVED,
}
# Seconds from the event to each try: a day in all.
SCHEDULE = (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
# Each pause is longer by up to this part, so that a receiver that is back does not get all at once.
JITTER = 0.1
LONGEST_WAIT = 86_400.0
THROTTLING = frozenset({429, 502, 504})
GONE = 410
# A try that takes as long holds up others.
SLOW_SECONDS = 2.0
# How long a throttling endpoint that names no time is left alone.
THROTTLED_SECONDS = 60.0


def events_of(decided: Mapping[str, Any]) -> list[Event]:
    """What a decision tells: the status it led to, and that it took another back.

    >>> events_of({"status_after": Status.HELD, "reverses": "dec_1"})
    [<Event.HELD: 'comment.held'>, <Event.REVERSED: 'decision.reversed'>]
    >>> events_of({"status_after": Status.PENDING, "reverses": None})
    []
    """
    told = [_OF_STATUS[decided["status_after"]]] if decided["status_after"] in _OF_STATUS else []
    return [*told, Event.REVERSED] if decided["reverses"] else told


def next_try(attempts: int, chance: float, retry_after: float | None = None) -> float | None:
    """Seconds until the next try after this many failed ones; None when the last one was made.

    `chance` is from 0 to 1. A receiver may ask for more time, up to a day, but not for less.

    >>> next_try(1, 0.0), next_try(2, 0.0), next_try(1, 0.0, 60), next_try(10, 0.0)
    (5.0, 295.0, 60, None)
    """
    if attempts >= len(SCHEDULE):
        return None
    pause = (SCHEDULE[attempts] - SCHEDULE[attempts - 1]) * (1 + JITTER * chance)
    return max(pause, min(retry_after or 0.0, LONGEST_WAIT))
