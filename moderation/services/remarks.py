"""What a moderator does to an item short of deciding it: a note, a call for a maintainer."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from moderation.models import QueueItem, Remark, RemarkKind, new_id
from moderation.services.access import ModeratorCaller
from moderation.services.errors import NotFound, StaleItem


def remark(
    session: Session,
    item_id: str,
    kind: RemarkKind,
    by: ModeratorCaller,
    now: datetime,
    *,
    note: str | None = None,
    reason: str | None = None,
) -> Remark:
    """Keep what was said about an item."""
    said = Remark(
        id=new_id("rem"),
        queue_item_id=item_id,
        kind=kind,
        reason=reason,
        note=note,
        moderator_id=by.moderator_id,
        moderator_name=by.name,
        created_at=now,
    )
    session.add(said)
    return said


def add_note(session: Session, item_id: str, text: str, by: ModeratorCaller, now: datetime) -> Remark:
    """Note something for the next who looks at the item, open or closed; raises NotFound."""
    if session.get(QueueItem, item_id) is None:
        raise NotFound("queue item")
    return remark(session, item_id, RemarkKind.NOTED, by, now, note=text)


def escalate(session: Session, item_id: str, text: str | None, by: ModeratorCaller, now: datetime) -> None:
    """Leave an open item to a maintainer and give it back; doing so again only adds the note.

    Raises NotFound, and StaleItem when it was decided.
    """
    item = session.get(QueueItem, item_id, with_for_update=True)
    if item is None:
        raise NotFound("queue item")
    if item.closed_at is not None:
        raise StaleItem(item.version, None, None, item.closed_at)
    values = {"claimed_by": None, "claimed_until": None, "claimed_since": None}
    if item.escalated_at is None:
        values |= {"escalated_at": now, "version": item.version + 1}  # type: ignore[dict-item]
    session.execute(update(QueueItem).where(QueueItem.id == item_id).values(values))
    remark(session, item_id, RemarkKind.ESCALATED, by, now, note=text)


def remarks_of(session: Session, item_ids: Sequence[str]) -> Sequence[Remark]:
    """All that was said about these items, oldest first."""
    return session.scalars(select(Remark).where(Remark.queue_item_id.in_(item_ids)).order_by(Remark.id)).all()
