"""Figures of the spam checks by blog and month, counted in the commit of each check and report."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from moderation.models import SpamCheckMonth, table_of

_MONTHS = table_of(SpamCheckMonth)
FIGURES = ("calls", "spam", "ham", "missed_spam", "false_positives")
# A blog's address comes from the caller.
BLOG_LENGTH = 255


@dataclass(frozen=True)
class Usage:
    """Checks of one blog, or of a site, in some time."""

    blog: str
    calls: int
    spam: int
    ham: int
    missed_spam: int
    false_positives: int


def month_of(at: datetime) -> str:
    """The month of a time as it is kept.

    >>> month_of(datetime(2026, 11, 27))
    '2026-11'
    """
    return f"{at:%Y-%m}"


def count_check(session: Session, site_id: str, blog: str, now: datetime, *, spam: bool) -> None:
    """Count a check and its answer."""
    _add(session, site_id, blog, now, calls=1, spam=int(spam), ham=int(not spam))


def count_mistake(session: Session, site_id: str, blog: str, now: datetime, *, spam: bool) -> None:
    """Count a comment the site says was answered wrongly: spam that was missed, or ham called spam."""
    _add(session, site_id, blog, now, missed_spam=int(spam), false_positives=int(not spam))


def usage_of_month(session: Session, site_id: str, month: str) -> Sequence[Usage]:
    """The figures of each blog, by its address."""
    rows = session.scalars(
        select(SpamCheckMonth)
        .where(SpamCheckMonth.site_id == site_id, SpamCheckMonth.month == month)
        .order_by(SpamCheckMonth.blog)
    )
    return [Usage(row.blog, *(getattr(row, name) for name in FIGURES)) for row in rows]


def usage_by_month(session: Session, site_id: str, since: str = "") -> dict[str, Usage]:
    """The figures of all blogs of a site together, month by month."""
    sums = [func.sum(_MONTHS.c[name]).label(name) for name in FIGURES]
    rows = session.execute(
        select(_MONTHS.c.month, *sums)
        .where(_MONTHS.c.site_id == site_id, _MONTHS.c.month >= since)
        .group_by(_MONTHS.c.month)
        .order_by(_MONTHS.c.month)
    )
    return {row.month: Usage("", *(int(getattr(row, name)) for name in FIGURES)) for row in rows}


def _add(session: Session, site_id: str, blog: str, now: datetime, **figures: int) -> None:
    values = dict.fromkeys(FIGURES, 0) | figures
    row: dict[str, Any] = {"site_id": site_id, "month": month_of(now), "blog": blog[:BLOG_LENGTH]}
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.execute(
        insert(_MONTHS)
        .values(row | values)
        .on_conflict_do_update(
            index_elements=["site_id", "month", "blog"],
            set_={name: _MONTHS.c[name] + amount for name, amount in figures.items()},
        )
    )
