"""Which of the waiting submissions a worker takes next: the same number from every site that has any.

One site's import of a hundred thousand comments must not delay another site's single one. Nothing here
grows with the number waiting: sites are found by jumping through an index from one to the next, and of
each only as many rows are read as the batch has room for.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, zip_longest
from typing import Any

from sqlalchemy import ColumnElement, bindparam, or_, select, text
from sqlalchemy.orm import Session

from moderation.models import Submission, table_of

# A submission whose worker died this often is no longer scored with others.
ATTEMPTS_TOGETHER = 2
# Each site costs a query; with more of them waiting, chance picks those of this batch.
MOST_SITES = 32


@dataclass(frozen=True)
class TakenIds:
    """The submissions chosen, and whether more were left for another worker."""

    ids: list[str]
    more: bool = False


def choose_waiting(session: Session, now: datetime, most: int, most_bytes: int) -> TakenIds:
    """Choose and, on PostgreSQL, lock the rows to be taken."""
    follow_indexes(session)
    sites = waiting_sites(session)
    if len(sites) > MOST_SITES:
        sites = random.sample(sites, MOST_SITES)
    found = [rows for rows in _rows_of(session, sites, now, most) if rows]
    alone = next((rows[0].id for rows in found if rows[0].attempts >= ATTEMPTS_TOGETHER), None)
    if alone is not None:
        return TakenIds([alone], more=len(found) > 1 or len(found[0]) > 1)
    turns = chain.from_iterable(zip_longest(*found))
    together = [row for row in turns if row is not None and row.attempts < ATTEMPTS_TOGETHER]
    ids = _within(together, most, most_bytes)
    return TakenIds(ids, more=len(ids) < len(together) or len(ids) >= most)


def follow_indexes(session: Session) -> None:
    """See to it that what waits is read in the order of its index, in this transaction.

    PostgreSQL learns of a backlog only when it next makes its statistics. Until then it believes that few
    rows wait, or many of a backlog that is no more, and reads and sorts all there is for each batch.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(_NO_SORT)


def waiting_sites(session: Session) -> list[str]:
    """The sites that have anything unjudged."""
    return [site_id for site_id in session.scalars(_SITES) if site_id is not None]


def _rows_of(session: Session, sites: Sequence[str], now: datetime, most: int) -> list[Sequence[Any]]:
    """The oldest free rows of each site: its share, and of what others leave unused once more as much."""
    share = -(-most // max(len(sites), 1))
    found = [_oldest(session, site_id, now, share) for site_id in sites]
    spare = most - sum(len(rows) for rows in found)
    eager = [n for n, rows in enumerate(found) if len(rows) == share]
    if spare > 0 and eager:
        for n in eager:
            found[n] = _oldest(session, sites[n], now, share + -(-spare // len(eager)))
    return found


def _oldest(session: Session, site_id: str, now: datetime, most: int) -> Sequence[Any]:
    return session.execute(_OLDEST, {"site": site_id, "now": now, "most": most}).all()


def _within(rows: Iterable[Any], most: int, most_bytes: int) -> list[str]:
    """The ids of the first rows whose sizes fit; always at least one, so that a large one is not stuck."""
    ids: list[str] = []
    total = 0
    for row in rows:
        total += row.body_bytes
        if len(ids) >= most or (ids and total > most_bytes):
            break
        ids.append(row.id)
    return ids


_WAITING = table_of(Submission)


def is_free() -> ColumnElement[bool]:
    """Nobody holds it at the time `:now`."""
    now = bindparam("now", type_=_WAITING.c.taken_until.type)
    return or_(_WAITING.c.taken_until.is_(None), _WAITING.c.taken_until < now)


def _sites() -> Any:
    """A jump from each site to the next, which neither database makes of SELECT DISTINCT by itself."""
    first = select(_WAITING.c.site_id).where(_WAITING.c.judged_at.is_(None))
    first = first.order_by(_WAITING.c.site_id).limit(1)
    # Ordered and not the minimum: an order can be had from this index alone, a minimum from reading all.
    found = select(first.scalar_subquery().label("site_id")).cte("found", recursive=True)
    inner = _WAITING.alias()
    following = (
        select(inner.c.site_id)
        .where(inner.c.judged_at.is_(None), inner.c.site_id > found.c.site_id)
        .order_by(inner.c.site_id)
        .limit(1)
        .scalar_subquery()
    )
    found = found.union_all(select(following).where(found.c.site_id.is_not(None)))
    return select(found.c.site_id)


_NO_SORT = text("SET LOCAL enable_sort TO off")
# Written once: putting a statement together takes longer than running it.
_SITES = _sites()
_OLDEST = (
    select(_WAITING.c.id, _WAITING.c.body_bytes, _WAITING.c.attempts)
    .where(_WAITING.c.site_id == bindparam("site"), _WAITING.c.judged_at.is_(None), is_free())
    .order_by(_WAITING.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
