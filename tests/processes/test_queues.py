"""Queues keep out of each other's way: a real `greenroom worker`, a real Redis, a job that takes its time."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from rq import Queue
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from sqlalchemy import create_engine, text

from moderation.database import Database
from moderation.jobs import QUEUES, RETRAINING, open_jobs
from moderation.services.access import NewSite
from tests.conftest import SECRET, Api
from tests.processes.running import wait_until
from workers.embedded_redis import running_redis

pytestmark = pytest.mark.processes


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[str]:
    """A Redis with no other test's workers on it."""
    with running_redis(tmp_path / "redis") as url:
        yield url


@contextlib.contextmanager
def worker(home: Path, database_url: str, redis_url: str, *words: str) -> Iterator["subprocess.Popen[bytes]"]:
    """`greenroom worker` with these words, stopped at the end of the block."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GREENROOM_")}
    environ |= {
        "GREENROOM_HOME": str(home),
        "GREENROOM_DATABASE_URL": database_url,
        "GREENROOM_REDIS_URL": redis_url,
        "GREENROOM_SECRET_KEY": SECRET,
    }
    with (home / "worker.log").open("ab") as log:
        command = [sys.executable, "-m", "workers.cli", "worker", *words]
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


def long_job(redis: Redis) -> Job:
    """Stands for a retraining of many minutes."""
    queue = Queue(RETRAINING, connection=redis, serializer=JSONSerializer)
    return queue.enqueue_call("time.sleep", args=(600,), timeout=900)


def undecided(database_url: str) -> int:
    engine = create_engine(database_url)
    with engine.connect() as connection:
        count = connection.execute(
            text("SELECT count(*) FROM comments WHERE status = 'pending'")
        ).scalar_one()
    engine.dispose()
    return int(count)


def test_comments_are_decided_while_one_worker_command_also_runs_a_long_retraining(
    api: Api, alma: NewSite, database: Database, sqlite_url: str, own_redis: str, tmp_path: Path
) -> None:
    jobs = open_jobs(own_redis)
    with Redis.from_url(own_redis) as redis, worker(tmp_path, sqlite_url, own_redis):
        retraining = long_job(redis)
        wait_until(lambda: retraining.get_status() == JobStatus.STARTED)
        for number in range(5):
            api.hand_in(alma, f"A kind word about lamp number {number}.")
            assert jobs.wake_scoring()
            wait_until(lambda: undecided(sqlite_url) == 0)
            assert retraining.get_status() == JobStatus.STARTED


def test_a_burst_ends_when_every_queue_is_empty(
    api: Api, alma: NewSite, database: Database, sqlite_url: str, own_redis: str, tmp_path: Path
) -> None:
    api.hand_in(alma, "A kind word.")
    assert open_jobs(own_redis).wake_scoring()
    with worker(tmp_path, sqlite_url, own_redis, "--burst") as running:
        assert running.wait(timeout=60) == 0
    assert undecided(sqlite_url) == 0


def test_every_queue_gets_a_process_and_none_outlives_the_command(
    database: Database, sqlite_url: str, own_redis: str, tmp_path: Path
) -> None:
    from rq import Worker

    with Redis.from_url(own_redis) as redis, worker(tmp_path, sqlite_url, own_redis) as running:
        wait_until(lambda: len(Worker.all(connection=redis)) == len(QUEUES))
        workers = Worker.all(connection=redis)
        assert sorted(one.queue_names() for one in workers) == sorted([name] for name in QUEUES)
        running.kill()
        wait_until(lambda: not any(Path(f"/proc/{one.pid}").exists() for one in workers))
