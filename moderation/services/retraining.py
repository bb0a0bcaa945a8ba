"""Retraining runs: asking for one, taking it, and recording how it ended."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from moderation.models import Label, RetrainingRun, Site, new_id
from moderation.services.accept import insert_unless_present
from moderation.services.errors import NotFound, RunInProgress

# A run whose worker gave no sign of life this long is taken over, and given up after some tries.
SILENCE = timedelta(seconds=60)
MOST_ATTEMPTS = 3


class RunStatus(StrEnum):
    """Where a run stands; the last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    PROMOTED = "promoted"
    KEPT = "kept"
    FAILED = "failed"


OPEN = "open"


def request_run(
    session: Session, requested_by: str, now: datetime, site_id: str | None = None
) -> RetrainingRun:
    """Queue a run on the labels of one site or of all; raises RunInProgress and NotFound.

    There is one open run at a time, for two would race to promote.
    """
    if site_id is not None and session.get(Site, site_id) is None:
        raise NotFound("site")
    run = RetrainingRun(
        id=new_id("run"),
        status=RunStatus.QUEUED,
        slot=OPEN,
        requested_by=requested_by,
        site_id=site_id,
        metrics={},
        label_count=0,
        attempts=0,
        created_at=now,
    )
    if not insert_unless_present(session, run):
        # Empty when that run ended just now; asking again is then the answer.
        raise RunInProgress(session.scalar(select(RetrainingRun.id).where(RetrainingRun.slot == OPEN)) or "")
    return session.get_one(RetrainingRun, run.id)


def take_run(session: Session, run_id: str, now: datetime) -> RetrainingRun | None:
    """Start a run that is queued or was abandoned; None when there is nothing to do any more."""
    abandoned = (RetrainingRun.status == RunStatus.RUNNING) & (RetrainingRun.heartbeat_at < now - SILENCE)
    taken = session.scalar(
        update(RetrainingRun)
        .where(RetrainingRun.id == run_id, or_(RetrainingRun.status == RunStatus.QUEUED, abandoned))
        .values(
            status=RunStatus.RUNNING,
            started_at=now,
            heartbeat_at=now,
            attempts=RetrainingRun.attempts + 1,
        )
        .returning(RetrainingRun.id)
    )
    return None if taken is None else session.get(RetrainingRun, run_id, populate_existing=True)


def beat(session: Session, run_id: str, now: datetime) -> None:
    """A sign of life of the worker on this run."""
    session.execute(update(RetrainingRun).where(RetrainingRun.id == run_id).values(heartbeat_at=now))


def finish_run(
    session: Session, run_id: str, status: RunStatus, reason: str, now: datetime, **details: Any
) -> bool:
    """Record the end of a running run; False when somebody else ended it."""
    ended = session.scalar(
        update(RetrainingRun)
        .where(RetrainingRun.id == run_id, RetrainingRun.status == RunStatus.RUNNING)
        .values(status=status, slot=None, reason=reason, finished_at=now, **details)
        .returning(RetrainingRun.id)
    )
    return ended is not None


def get_run(session: Session, run_id: str) -> RetrainingRun:
    """One run; raises NotFound."""
    run = session.get(RetrainingRun, run_id)
    if run is None:
        raise NotFound("retraining run")
    return run


def run_that_made(session: Session, version: str) -> RetrainingRun | None:
    """The newest run whose challenger a version was; None of one that came otherwise."""
    made = select(RetrainingRun).where(RetrainingRun.challenger == version)
    return session.scalars(made.order_by(RetrainingRun.id.desc()).limit(1)).one_or_none()


def latest_runs(session: Session, limit: int = 20) -> Sequence[RetrainingRun]:
    """The newest runs first."""
    return session.scalars(select(RetrainingRun).order_by(RetrainingRun.id.desc()).limit(limit)).all()


def run_is_under_way(session: Session) -> bool:
    """Whether some worker began a run that has not ended."""
    under_way = (RetrainingRun.slot == OPEN) & (RetrainingRun.status == RunStatus.RUNNING)
    return session.scalar(select(RetrainingRun.id).where(under_way)) is not None


def last_asked_for(session: Session) -> datetime | None:
    """When the newest run was asked for, whatever became of it."""
    return session.scalar(select(RetrainingRun.created_at).order_by(RetrainingRun.id.desc()).limit(1))


def labelled_since(session: Session, since: datetime | None, most: int) -> int:
    """How many texts got a label since then that still holds, counted up to `most`."""
    text = func.coalesce(Label.submission_id, Label.imported_example_id)
    newer = select(text.label("text")).where(Label.retracted_at.is_(None)).distinct().limit(most)
    if since is not None:
        newer = newer.where(Label.created_at > since)
    return session.scalars(select(func.count()).select_from(newer.subquery())).one()


def lost_runs(session: Session, now: datetime) -> Sequence[RetrainingRun]:
    """Open runs that no worker seems to have: queued long ago, or silent."""
    since = now - SILENCE
    return session.scalars(
        select(RetrainingRun).where(
            or_(
                (RetrainingRun.status == RunStatus.QUEUED) & (RetrainingRun.created_at < since),
                (RetrainingRun.status == RunStatus.RUNNING) & (RetrainingRun.heartbeat_at < since),
            )
        )
    ).all()
