"""The sweeper: finds in the database what Redis forgot, and wakes somebody for it."""

import logging
import threading
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select, tuple_

from moderation.models import IdempotencyKey
from moderation.services.pending import end_holds, has_pending, impossible_holds
from moderation.services.retraining import MOST_ATTEMPTS, RunStatus, finish_run, lost_runs, take_run
from moderation.services.webhook_deliveries import DELETED_AT_ONCE, delete_old, has_due, has_old
from workers.process import Process

log = logging.getLogger(__name__)

IDEMPOTENCY_KEPT = timedelta(hours=24)
# So that no transaction is long, above all the first after a day of heavy use.
FORGOTTEN_AT_ONCE = 1000
_KEY = (IdempotencyKey.site_id, IdempotencyKey.key)


def sweep_forever(process: Process, stop: threading.Event) -> None:
    """Sweep, pause, and again; a failed round is logged and the next one tries anew."""
    while not stop.is_set():
        try:
            sweep_now(process)
        except Exception as error:
            log.error("this round failed (%s)", type(error).__name__)  # noqa: TRY400 - the next round tells
        stop.wait(process.settings.sweep_seconds)


def sweep_now(process: Process) -> None:
    """One round, at this moment."""
    now = datetime.now(UTC)
    end_impossible_holds(process, now)
    wake_pending(process, now)
    revive_runs(process, now)
    forget_idempotency_keys(process, now)
    wake_webhooks(process, now)
    forget_deliveries(process, now)


def end_impossible_holds(process: Process, now: datetime) -> None:
    """Free what a worker took by a clock that was set back since; it would wait for as long as that."""
    with process.database.read() as session:
        ids = impossible_holds(session, now, process.settings.scoring_seconds)
    if ids:
        with process.database.write() as session:
            end_holds(session, ids)
        log.warning("freed %d submissions taken by a clock that was ahead", len(ids))


def wake_pending(process: Process, now: datetime) -> None:
    """Wake a worker if anything waits; harmless when one is at it already."""
    with process.database.read() as session:
        waiting = has_pending(session, now)
    if waiting:
        process.jobs.wake_scoring()


def wake_webhooks(process: Process, now: datetime) -> None:
    """Wake a worker for deliveries that are due: those just written, and those to be tried again."""
    with process.database.read() as session:
        due = has_due(session, now)
    if due:
        process.jobs.wake_webhooks()


def forget_deliveries(process: Process, now: datetime) -> None:
    """Delete deliveries finished long ago, some at a time."""
    with process.database.read() as session:
        old = has_old(session, now)
    while old:
        with process.database.write() as session:
            old = delete_old(session, now) == DELETED_AT_ONCE


def revive_runs(process: Process, now: datetime) -> None:
    """Enqueue again the retraining runs nobody works on; give up those that failed too often."""
    with process.database.read() as session:
        lost = [(run.id, run.attempts) for run in lost_runs(session, now)]
    for run_id, attempts in lost:
        if attempts < MOST_ATTEMPTS:
            process.jobs.enqueue_retraining(run_id)
            continue
        with process.database.write() as session:
            if take_run(session, run_id, now) is not None:
                finish_run(session, run_id, RunStatus.FAILED, f"given up after {attempts} attempts", now)


def forget_idempotency_keys(process: Process, now: datetime) -> None:
    """Delete keys a day old, some at a time: their requests will not come again."""
    while _forget_some(process, now - IDEMPOTENCY_KEPT):
        pass


def _forget_some(process: Process, before: datetime) -> bool:
    """Whether there may be more; keys that another sweeper is deleting are left to it."""
    old = select(*_KEY).where(IdempotencyKey.created_at < before).limit(FORGOTTEN_AT_ONCE)
    with process.database.read() as session:
        if session.execute(old.limit(1)).first() is None:
            return False
    with process.database.write() as session:
        keys = session.execute(old.with_for_update(skip_locked=True)).all()
        session.execute(delete(IdempotencyKey).where(tuple_(*_KEY).in_([tuple(key) for key in keys])))
    return len(keys) == FORGOTTEN_AT_ONCE
