"""What the pages say: times, reasons, refusals and the marked parts of a text, in words for people."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from moderation.domain.policy import CLEAN
from moderation.models import Decision
from moderation.services.errors import ClaimedByOther, ServiceError, StaleItem

# What a moderator may reject for; the last two teach the model nothing.
REJECT_REASONS = ("spam", "toxic", "insult", "threat", "identity_attack", "off_topic", "other")
_DID = {
    "approve": "approved this comment",
    "reject": "rejected this comment",
    "hold": "put this comment into the queue",
    "edit": "edited this comment",
    "remove": "withdrew this comment",
}
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))
# Texts longer than this are folded; the moderator opens them.
LONG_CHARACTERS, LONG_LINES = 700, 9


@dataclass(frozen=True)
class Part:
    """A stretch of a text, and the category it speaks for if the model gave it weight."""

    text: str
    category: str | None = None


def plain(code: str) -> str:
    """A machine's word as people write it.

    >>> plain("identity_attack")
    'identity attack'
    """
    return code.replace("_", " ")


def duration(seconds: float) -> str:
    """A length of time in its largest unit.

    >>> duration(7300), duration(60), duration(20), duration(-180)
    ('2 hours', '1 minute', 'less than a minute', '3 minutes')
    """
    for length, unit in _UNITS:
        count = int(abs(seconds) // length)
        if count:
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "less than a minute"


def clock(at: datetime) -> str:
    """A moment to the minute; UTC, because moderators of one queue may sit in many places."""
    return f"{at:%-d %B %Y, %H:%M} UTC"


def done(decision: Decision) -> str:
    """What a moderator's own decision did.

    >>> done(Decision(action="reject", reason="off_topic", reverses=None))
    'Rejected as off topic'
    """
    if decision.reverses is not None:
        return f"Taken back: the comment is {_standing(decision.status_after)}"
    if decision.action == "reject":
        return f"Rejected as {plain(decision.reason)}"
    return "Approved"


def recorded(decision: Decision) -> str:
    """A decision in the list of a comment's decisions.

    >>> recorded(Decision(action="hold", reason="links", status_after="held", reverses=None))
    'held (links)'
    """
    reason = "" if decision.reason == CLEAN else f" ({plain(decision.reason)})"
    return f"{decision.status_after}{reason}"


def reversible(decision: Decision) -> bool:
    """Whether an undo is worth offering; the service has the last word."""
    return decision.action in {"approve", "reject"} and decision.reverses is None


def refusal(error: ServiceError, latest: Decision | None, at: datetime) -> str:
    """Why a decision or its undoing was refused: who did what, and when."""
    if isinstance(error, ClaimedByOther):
        left = duration((error.until - at).total_seconds())
        return f"{error.holder} has claimed this comment until {clock(error.until)} ({left} more)."
    if isinstance(error, StaleItem) and error.action is not None and error.at is not None:
        return _who_did_what(error.decided_by or "Somebody", error.action, error.at, at)
    if latest is not None and latest.actor_kind != "policy":
        return _who_did_what(latest.actor_name, latest.action, latest.created_at, at)
    return "This comment changed since you looked at it. Please look again."


def is_long(body: str) -> bool:
    """Whether a text would push the next one out of sight."""
    return len(body) > LONG_CHARACTERS or body.count("\n") >= LONG_LINES


def marked(body: str, spans: Sequence[Mapping[str, Any]]) -> list[Part]:
    """The text cut at the borders of its spans; where spans overlap, the heaviest names the category.

    >>> marked("buy now", [{"start": 0, "end": 3, "category": "spam", "weight": 1.0}])
    [Part(text='buy', category='spam'), Part(text=' now', category=None)]
    """
    # A negative weight speaks for the comment.
    against = [span for span in spans if span["weight"] > 0]
    inside = {min(max(edge, 0), len(body)) for span in against for edge in (span["start"], span["end"])}
    edges = sorted(inside | {0, len(body)})
    parts = []
    for start, end in itertools.pairwise(edges):
        over = [span for span in against if span["start"] <= start and end <= span["end"]]
        heaviest = max(over, key=lambda span: span["weight"], default={"category": None})
        parts.append(Part(body[start:end], heaviest["category"]))
    return parts


def _standing(status: str) -> str:
    return "in the queue again" if status == "held" else f"{status} again"


def _who_did_what(who: str, action: str, then: datetime, at: datetime) -> str:
    ago = duration((at - then).total_seconds())
    name = "The author" if who == "author" else who
    return f"{name} {_DID[action]} {ago} ago ({clock(then)})."
