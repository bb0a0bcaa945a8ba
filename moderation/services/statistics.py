"""Figures about the queue and the traffic."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from moderation.domain.status import Action
from moderation.models import Comment, Decision, Label, QueueItem, RetrainingRun, Submission, first_id
from moderation.services.retraining import RunStatus

DAY = timedelta(days=1)
# How a retraining run may end; those without a run yet are told as zero.
ENDINGS = (RunStatus.PROMOTED, RunStatus.KEPT, RunStatus.FAILED)


def statistics(session: Session, now: datetime) -> dict[str, Any]:
    """The queue, and arrivals and decisions of the last day; ages and times in seconds."""
    return {
        "at": now,
        "waiting": _waiting(session)[0],
        "queue": queue_counts(session, now),
        "last_day": _last_day(session, now),
    }


def gauges(session: Session, now: datetime) -> dict[str, float]:
    """The figures a monitoring system asks for again and again."""
    waiting, oldest = _waiting(session)
    queue = queue_counts(session, now)
    return {
        "submissions_waiting": waiting,
        "submissions_oldest_waiting_seconds": _age(oldest, now),
        "queue_open_items": queue["open"],
        "queue_oldest_open_seconds": queue["oldest_seconds"],
        "queue_claimed_items": queue["claimed"],
        "queue_overdue_items": queue["overdue"],
        "labels_live": _count(session, select(func.count()).where(Label.retracted_at.is_(None))),
        "retraining_runs_open": _count(session, select(func.count()).where(RetrainingRun.slot.is_not(None))),
    }


def status_counts(session: Session) -> dict[str, int]:
    """How many comments there are of each status."""
    rows = session.execute(select(Comment.status, func.count()).group_by(Comment.status))
    return {row[0]: row[1] for row in rows}


def ended_runs(session: Session) -> dict[str, int]:
    """How many retraining runs ended in each way."""
    rows = session.execute(
        select(RetrainingRun.status, func.count())
        .where(RetrainingRun.slot.is_(None))
        .group_by(RetrainingRun.status)
    )
    return dict.fromkeys(ENDINGS, 0) | {row[0]: row[1] for row in rows}


def _waiting(session: Session) -> tuple[int, datetime | None]:
    """How many submissions wait to be scored, and since when the oldest does."""
    row = session.execute(
        select(func.count(), func.min(Submission.created_at)).where(Submission.judged_at.is_(None))
    ).one()
    return row[0], row[1]


def queue_counts(session: Session, now: datetime) -> dict[str, Any]:
    """How many items are open, claimed and overdue, why, and how old the oldest is."""
    is_open = QueueItem.closed_at.is_(None)
    row = session.execute(select(func.count(), func.min(QueueItem.opened_at)).where(is_open)).one()
    claimed = select(func.count()).where(is_open, QueueItem.claimed_until >= now)
    overdue = select(func.count()).where(is_open, QueueItem.due_at < now)
    by_reason = session.execute(
        select(QueueItem.reason, func.count()).where(is_open).group_by(QueueItem.reason)
    )
    return {
        "open": row[0],
        "claimed": _count(session, claimed),
        "overdue": _count(session, overdue),
        "oldest_seconds": _age(row[1], now),
        "by_reason": {reason: count for reason, count in by_reason},  # noqa: C416 - rows, not tuples
    }


def _last_day(session: Session, now: datetime) -> dict[str, Any]:
    since = now - DAY
    rows = session.execute(
        select(Decision.actor_kind, Decision.action, func.count())
        .where(Decision.created_at >= since)
        .group_by(Decision.actor_kind, Decision.action)
    ).all()
    decisions: dict[str, dict[str, int]] = {}
    for kind, action, count in rows:
        decisions.setdefault(kind, {})[action] = count
    policy = decisions.get("policy", {})
    automatic = policy.get(Action.APPROVE, 0) + policy.get(Action.REJECT, 0)
    times = _decision_times(session, since)
    return {
        "arrivals": _arrivals(session, since),
        "decisions": decisions,
        "automation_share": round(automatic / sum(policy.values()), 4) if policy else None,
        "seconds_to_decision": {"p50": _quantile(times, 0.5), "p95": _quantile(times, 0.95)},
    }


def _arrivals(session: Session, since: datetime) -> int:
    # There is no index on the time, but ids are made in its order; an hour is more than clocks differ.
    recent = Submission.id >= first_id("sub", since - timedelta(hours=1))
    return _count(session, select(func.count()).where(recent, Submission.created_at >= since))


def _decision_times(session: Session, since: datetime) -> list[float]:
    """Seconds from opening to closing of the items people decided."""
    # By the decisions, because an edit or a withdrawal closes an item too.
    rows = session.execute(
        select(QueueItem.opened_at, Decision.created_at)
        .join(Decision, Decision.queue_item_id == QueueItem.id)
        .where(Decision.created_at >= since, Decision.reverses.is_(None))
    )
    return sorted((decided - opened).total_seconds() for opened, decided in rows)


def _count(session: Session, query: Any) -> int:
    return int(session.scalar(query) or 0)


def _age(then: datetime | None, now: datetime) -> float:
    return 0.0 if then is None else round((now - then).total_seconds(), 3)


def _quantile(values: list[float], q: float) -> float | None:
    return round(values[min(len(values) - 1, int(q * len(values)))], 3) if values else None
