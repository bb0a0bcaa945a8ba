"""Claims: a time-limited, exclusive right to decide a queue item."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from moderation.models import Moderator, QueueItem
from moderation.services.errors import ClaimedByOther, NotFound, StaleItem
from moderation.services.queue import QueueFilters, conditions, joined

MOST_CLAIMS = 20
CLAIM_SECONDS = 300
LONGEST_CLAIM_SECONDS = 1800


def claim_next(
    session: Session,
    moderator_id: str,
    filters: QueueFilters,
    now: datetime,
    *,
    count: int = 1,
    seconds: int = CLAIM_SECONDS,
) -> Sequence[str]:
    """Claim the most urgent free items for a moderator and give their ids.

    One statement finds and takes them, so that no item goes to two people: PostgreSQL skips rows that
    another claim is taking, SQLite runs one writer at a time.
    """
    free = or_(QueueItem.claimed_until.is_(None), QueueItem.claimed_until < now)
    chosen = (
        joined(select(QueueItem.id).select_from(QueueItem))
        .where(QueueItem.closed_at.is_(None), free, *conditions(filters, now))
        .order_by(QueueItem.due_at, QueueItem.id)
        .limit(count)
        .with_for_update(skip_locked=True, of=QueueItem)
        .cte("chosen")
    )
    rows = session.execute(
        update(QueueItem)
        .where(QueueItem.id.in_(select(chosen.c.id)))
        .values(claimed_by=moderator_id, claimed_until=now + timedelta(seconds=seconds))
        .returning(QueueItem.id, QueueItem.due_at)
        .execution_options(synchronize_session=False)
    ).all()
    return [row.id for row in sorted(rows, key=lambda row: (row.due_at, row.id))]


def claim_one(
    session: Session, item_id: str, moderator_id: str, now: datetime, seconds: int = CLAIM_SECONDS
) -> datetime:
    """Claim or renew one item; gives the end of the claim; raises NotFound, StaleItem, ClaimedByOther."""
    until = now + timedelta(seconds=seconds)
    mine_or_free = or_(
        QueueItem.claimed_by == moderator_id,
        QueueItem.claimed_until.is_(None),
        QueueItem.claimed_until < now,
    )
    changed = session.scalar(
        update(QueueItem)
        .where(QueueItem.id == item_id, QueueItem.closed_at.is_(None), mine_or_free)
        .values(claimed_by=moderator_id, claimed_until=until)
        .returning(QueueItem.id)
    )
    if changed is None:
        _refuse(session, item_id)
    return until


def release(session: Session, item_id: str, moderator_id: str) -> None:
    """Give an item back; doing so without a claim of one's own changes nothing; raises NotFound."""
    if session.get(QueueItem, item_id) is None:
        raise NotFound("queue item")
    session.execute(
        update(QueueItem)
        .where(QueueItem.id == item_id, QueueItem.claimed_by == moderator_id)
        .values(claimed_by=None, claimed_until=None)
    )


def _refuse(session: Session, item_id: str) -> None:
    row = session.execute(
        select(QueueItem, Moderator.name)
        .outerjoin(Moderator, Moderator.id == QueueItem.claimed_by)
        .where(QueueItem.id == item_id)
    ).one_or_none()
    if row is None:
        raise NotFound("queue item")
    if row.QueueItem.closed_at is not None or row.QueueItem.claimed_until is None:
        raise StaleItem(row.QueueItem.version, None, None, row.QueueItem.closed_at)
    raise ClaimedByOther(row.name, row.QueueItem.claimed_until)
