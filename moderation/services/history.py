"""All that happened to one comment at the desk, in the order it happened."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from moderation.models import Decision, QueueItem, Remark, Report
from moderation.services.queue import QueueEntry
from moderation.services.remarks import remarks_of
from moderation.services.reports import reports_of

# Where times are equal: what opened an item comes before what was done to it.
_ORDER = ("reported", "opened", "noted", "released", "escalated", "decided", "reversed")


@dataclass(frozen=True)
class Event:
    """One thing that happened: who did what, and in their words."""

    at: datetime
    kind: str
    actor: str | None
    reason: str | None = None
    note: str | None = None
    id: str | None = None
    action: str | None = None


def events_of(session: Session, entry: QueueEntry) -> list[Event]:
    """Items opened, reports, remarks, decisions and reversals of the comment of an item; claims are none."""
    comment_id = entry.comment.id
    items = session.scalars(select(QueueItem).where(QueueItem.comment_id == comment_id)).all()
    decisions = session.scalars(select(Decision).where(Decision.comment_id == comment_id)).all()
    found = [
        *(Event(item.opened_at, "opened", None, item.reason, id=item.id) for item in items),
        *_of_reports(reports_of(session, comment_id)),
        *_of_remarks(remarks_of(session, [item.id for item in items])),
        *(_of_decision(decision) for decision in decisions),
    ]
    return sorted(found, key=lambda event: (event.at, _ORDER.index(event.kind), event.id or ""))


def _of_reports(reports: Sequence[Report]) -> Iterator[Event]:
    for one in reports:
        yield Event(one.created_at, "reported", None, one.reason, one.detail, one.id)


def _of_remarks(remarks: Sequence[Remark]) -> Iterator[Event]:
    for one in remarks:
        yield Event(one.created_at, one.kind, one.moderator_name, one.reason, one.note, one.id)


def _of_decision(decision: Decision) -> Event:
    kind = "decided" if decision.reverses is None else "reversed"
    return Event(
        decision.created_at,
        kind,
        decision.actor_name,
        decision.reason,
        decision.note,
        decision.id,
        decision.action,
    )
