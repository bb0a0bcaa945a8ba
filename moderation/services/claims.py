"""Claims: a time-limited, exclusive right to decide a queue item."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NoReturn

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from moderation.models import Moderator, QueueItem, Remark, RemarkKind
from moderation.services.access import ModeratorCaller
from moderation.services.errors import ClaimedByOther, NotFound, StaleItem
from moderation.services.queue import QueueFilters, is_free, open_items
from moderation.services.remarks import remark

MOST_CLAIMS = 20
CLAIM_SECONDS = 300
# However often it is renewed: an item must come back from a browser that is left open.
LONGEST_CLAIM_SECONDS = 1800


class ReleaseReason(StrEnum):
    """Why an item is given back. After a conflict of interest or distress it does not come again."""

    SKIP = "skip"
    CONFLICT = "conflict"
    DISTRESS = "distress"


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
    refused = (
        select(Remark.id)
        .where(
            Remark.queue_item_id == QueueItem.id,
            Remark.moderator_id == moderator_id,
            Remark.reason.in_([ReleaseReason.CONFLICT, ReleaseReason.DISTRESS]),
        )
        .exists()
    )
    chosen = (
        open_items(filters, now)
        .where(is_free(now), ~refused)
        .order_by(QueueItem.due_at, QueueItem.id)
        .limit(count)
        .with_for_update(skip_locked=True, of=QueueItem)
        .cte("chosen")
    )
    rows = session.execute(
        update(QueueItem)
        .where(QueueItem.id.in_(select(chosen.c.id)))
        .values(claimed_by=moderator_id, claimed_until=now + timedelta(seconds=seconds), claimed_since=now)
        .returning(QueueItem.id, QueueItem.due_at)
        .execution_options(synchronize_session=False)
    ).all()
    return [row.id for row in sorted(rows, key=lambda row: (row.due_at, row.id))]


def claim_one(
    session: Session, item_id: str, moderator_id: str, now: datetime, seconds: int = CLAIM_SECONDS
) -> datetime:
    """Claim or renew one item; gives the end of the claim; raises NotFound, StaleItem, ClaimedByOther."""
    item = session.scalars(
        select(QueueItem).where(QueueItem.id == item_id, QueueItem.closed_at.is_(None)).with_for_update()
    ).one_or_none()
    if item is None:
        _refuse(session, item_id)
    live = item.claimed_until is not None and item.claimed_until >= now
    if live and item.claimed_by != moderator_id:
        _refuse(session, item_id)
    if not live or item.claimed_since is None:
        item.claimed_since = now
    longest = item.claimed_since + timedelta(seconds=LONGEST_CLAIM_SECONDS)
    until = min(now + timedelta(seconds=seconds), longest)
    item.claimed_by, item.claimed_until = moderator_id, until
    return until


def release(
    session: Session, item_id: str, by: ModeratorCaller, now: datetime, reason: ReleaseReason | None = None
) -> None:
    """Give an item back; doing so without a claim of one's own changes nothing; raises NotFound."""
    if session.get(QueueItem, item_id) is None:
        raise NotFound("queue item")
    session.execute(
        update(QueueItem)
        .where(QueueItem.id == item_id, QueueItem.claimed_by == by.moderator_id)
        .values(claimed_by=None, claimed_until=None, claimed_since=None)
    )
    if reason is not None:
        remark(session, item_id, RemarkKind.RELEASED, by, now, reason=reason)


def release_all(session: Session, moderator_id: str) -> int:
    """Give back all that a moderator holds, as when they stop working; how many that were."""
    rows = session.scalars(
        update(QueueItem)
        .where(QueueItem.closed_at.is_(None), QueueItem.claimed_by == moderator_id)
        .values(claimed_by=None, claimed_until=None, claimed_since=None)
        .returning(QueueItem.id)
    )
    return len(rows.all())


def _refuse(session: Session, item_id: str) -> NoReturn:
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
