"""The desk over a window of time: what came and what was decided, by whom, how quickly, when it is empty."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from moderation.models import Decision, QueueItem, first_id

# Windows up to two days are told by the hour, longer ones by the day.
BY_HOUR_UP_TO = timedelta(days=2)
# A prediction looks at this much of the past; a longer one would be of another time of day.
PACE = timedelta(hours=24)


@dataclass(frozen=True)
class _Settled:
    """An item that a person decided: who, why, and after how many seconds."""

    at: datetime
    moderator: str
    action: str
    reason: str
    seconds: float


def workload(
    session: Session, now: datetime, window: timedelta, site_id: str | None = None
) -> dict[str, Any]:
    """Arrivals against decisions by hour or day, each moderator's and reason's part, the time to empty."""
    since = now - window
    step = timedelta(hours=1) if window <= BY_HOUR_UP_TO else timedelta(days=1)
    opened = _opened(session, since, site_id)
    settled = _settled(session, since, site_id)
    return {
        "since": since,
        "step_seconds": int(step.total_seconds()),
        "series": _series(opened, [one.at for one in settled], since, now, step),
        "moderators": _by(settled, "moderator"),
        "reasons": _by(settled, "reason"),
        "seconds_to_decision": _times(settled),
        "reversals": _reversals(session, since, site_id),
        "open_by_site": _open_by_site(session),
        "seconds_to_empty": _seconds_to_empty(session, opened, settled, now, min(window, PACE), site_id),
    }


def _opened(session: Session, since: datetime, site_id: str | None) -> list[datetime]:
    # Ids are made in the order of time, so the primary key finds what is recent; clocks may differ a little.
    recent = QueueItem.id >= first_id("item", since - timedelta(hours=1))
    query = select(QueueItem.opened_at).where(recent, QueueItem.opened_at >= since)
    return list(session.scalars(query if site_id is None else query.where(QueueItem.site_id == site_id)))


def _settled(session: Session, since: datetime, site_id: str | None) -> list[_Settled]:
    query = (
        select(
            Decision.created_at, Decision.actor_name, Decision.action, Decision.reason, QueueItem.opened_at
        )
        .join(QueueItem, QueueItem.id == Decision.queue_item_id)
        .where(Decision.created_at >= since, Decision.reverses.is_(None))
    )
    if site_id is not None:
        query = query.where(Decision.site_id == site_id)
    return [
        _Settled(row[0], row[1], row[2], row[3], max(0.0, (row[0] - row[4]).total_seconds()))
        for row in session.execute(query)
    ]


def _reversals(session: Session, since: datetime, site_id: str | None) -> int:
    query = select(func.count()).where(Decision.created_at >= since, Decision.reverses.is_not(None))
    return session.scalar(query if site_id is None else query.where(Decision.site_id == site_id)) or 0


def _open_by_site(session: Session) -> dict[str, int]:
    rows = session.execute(
        select(QueueItem.site_id, func.count())
        .where(QueueItem.closed_at.is_(None))
        .group_by(QueueItem.site_id)
    )
    return {site: count for site, count in rows}  # noqa: C416 - rows, not tuples


def _series(
    opened: Iterable[datetime], decided: Iterable[datetime], since: datetime, now: datetime, step: timedelta
) -> list[dict[str, Any]]:
    steps = max(1, round((now - since) / step))
    counts = [[0, 0] for _ in range(steps)]
    for which, times in enumerate((opened, decided)):
        for at in times:
            counts[min(steps - 1, max(0, (at - since) // step))][which] += 1
    return [
        {"at": since + n * step, "opened": opened, "decided": decided}
        for n, (opened, decided) in enumerate(counts)
    ]


def _by(settled: Iterable[_Settled], member: str) -> list[dict[str, Any]]:
    groups: dict[str, list[_Settled]] = defaultdict(list)
    for one in settled:
        groups[getattr(one, member)].append(one)
    told = [
        {
            "name": name,
            "decided": len(group),
            "approved": sum(one.action == "approve" for one in group),
            "rejected": sum(one.action == "reject" for one in group),
            **_times(group),
        }
        for name, group in groups.items()
    ]
    return sorted(told, key=lambda one: (-one["decided"], one["name"]))


def _times(settled: Sequence[_Settled]) -> Mapping[str, float | None]:
    seconds = sorted(one.seconds for one in settled)
    return {"p50": _quantile(seconds, 0.5), "p95": _quantile(seconds, 0.95)}


def _quantile(values: Sequence[float], q: float) -> float | None:
    return round(values[min(len(values) - 1, int(q * len(values)))], 3) if values else None


def _seconds_to_empty(
    session: Session,
    opened: Iterable[datetime],
    settled: Iterable[_Settled],
    now: datetime,
    pace: timedelta,
    site_id: str | None,
) -> float | None:
    """At the pace of the last hours; None when the queue does not grow shorter."""
    query = select(func.count()).where(QueueItem.closed_at.is_(None))
    waiting = session.scalar(query if site_id is None else query.where(QueueItem.site_id == site_id)) or 0
    since = now - pace
    gain = sum(one.at >= since for one in settled) - sum(at >= since for at in opened)
    if waiting == 0:
        return 0.0
    return round(waiting * pace.total_seconds() / gain, 1) if gain > 0 else None
