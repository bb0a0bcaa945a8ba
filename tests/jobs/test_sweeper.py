"""The sweeper: workers.sweeper"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from moderation.database import Database
from moderation.models import IdempotencyKey, RetrainingRun
from moderation.services.accept import Idempotency, NewComment, accept
from moderation.services.access import NewSite
from moderation.services.pending import take_pending
from moderation.services.retraining import MOST_ATTEMPTS, SILENCE, request_run, take_run
from workers.process import Process
from workers.sweeper import sweep_forever, sweep_now


def hand_in(database: Database, site: NewSite, at: datetime | None = None) -> None:
    with database.write() as session:
        new = NewComment(thread_key="t", body="kind", author={"name": "A"})
        now = at or datetime.now(UTC)
        accept(session, site.site_id, new, now, Idempotency(f"key-{now.timestamp()}", "digest"))


def woken(process: Process) -> Any:
    return process.jobs


def test_it_wakes_a_worker_for_what_redis_forgot(process: Process, database: Database, alma: NewSite) -> None:
    hand_in(database, alma)
    sweep_now(process)
    assert woken(process).scoring == 1


def test_it_wakes_nobody_when_nothing_waits(process: Process, database: Database) -> None:
    sweep_now(process)
    assert woken(process).scoring == 0


def test_it_leaves_alone_what_a_worker_holds(process: Process, database: Database, alma: NewSite) -> None:
    hand_in(database, alma)
    with database.write() as session:
        take_pending(session, datetime.now(UTC), most=10, most_bytes=1000, seconds=60)
    sweep_now(process)
    assert woken(process).scoring == 0


def test_it_frees_what_was_taken_by_a_clock_that_was_set_back_since(
    process: Process, database: Database, alma: NewSite
) -> None:
    hand_in(database, alma)
    with database.write() as session:
        ahead = datetime.now(UTC) + timedelta(hours=1)
        take_pending(session, ahead, most=10, most_bytes=1000, seconds=15)
    sweep_now(process)
    assert woken(process).scoring == 1


def test_it_enqueues_a_run_whose_job_was_lost(process: Process, database: Database) -> None:
    with database.write() as session:
        run_id = request_run(session, "Carla", datetime.now(UTC) - 2 * SILENCE).id
    sweep_now(process)
    assert woken(process).runs == [run_id]


def test_it_gives_a_run_up_whose_workers_keep_dying(process: Process, database: Database) -> None:
    long_ago = datetime.now(UTC) - 2 * SILENCE
    with database.write() as session:
        run_id = request_run(session, "Carla", long_ago).id
        take_run(session, run_id, long_ago)
        session.execute(update(RetrainingRun).values(attempts=MOST_ATTEMPTS))
    sweep_now(process)
    with database.read() as session:
        run = session.get_one(RetrainingRun, run_id)
    assert (run.status, run.slot) == ("failed", None)
    assert run.reason == f"given up after {MOST_ATTEMPTS} attempts"
    with database.write() as session:
        request_run(session, "Carla", datetime.now(UTC))


def test_it_forgets_idempotency_keys_after_a_day(process: Process, database: Database, alma: NewSite) -> None:
    hand_in(database, alma, datetime.now(UTC) - timedelta(hours=25))
    hand_in(database, alma)
    sweep_now(process)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(IdempotencyKey)) == 1


def test_a_failed_round_does_not_end_it(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    from workers import sweeper

    class Stop:
        rounds = 0

        def is_set(self) -> bool:
            return self.rounds >= 3

        def wait(self, _seconds: float) -> None:
            self.rounds += 1

    def fail(_process: Process) -> None:
        raise OSError("the database is away")

    monkeypatch.setattr(sweeper, "sweep_now", fail)
    stop = Stop()
    sweep_forever(process, stop)  # type: ignore[arg-type]
    assert stop.rounds == 3
