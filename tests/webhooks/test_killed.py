"""Real workers on a real Redis: one killed in the middle of a request, and a Redis that forgot everything"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis
from sqlalchemy import select, update

from moderation.database import Database
from moderation.jobs import open_jobs
from moderation.models import WebhookDelivery, WebhookEndpoint
from moderation.services.access import NewSite
from moderation.settings import Settings
from tests.conftest import SECRET, Api
from tests.webhooks.conftest import AddEndpoint
from tests.webhooks.receiver import Receiver

PATIENCE_SECONDS = 40


@pytest.fixture
def run(settings: Settings, redis_url: str) -> Callable[..., "subprocess.Popen[bytes]"]:
    """Start a command of ours in a group of its own."""
    environ = os.environ | {
        "GREENROOM_HOME": str(settings.home),
        "GREENROOM_DATABASE_URL": settings.database_url,
        "GREENROOM_REDIS_URL": redis_url,
        "GREENROOM_SECRET_KEY": SECRET,
        "GREENROOM_WEBHOOK_PRIVATE": "true",
    }

    def start(*words: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-P", "-m", "workers.cli", *words]
        return subprocess.Popen(command, env=environ, start_new_session=True)

    return start


def wait_until(happened: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < ends
        time.sleep(0.05)


def statuses(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(WebhookDelivery.status)))


def test_what_a_killed_worker_was_sending_is_sent_again_under_the_same_id(
    api: Api, alma: NewSite, receiver: Receiver, add_endpoint: AddEndpoint, drain: Callable[[], int],
    database: Database, redis_url: str, run: Callable[..., "subprocess.Popen[bytes]"],
) -> None:  # fmt: skip
    Redis.from_url(redis_url).flushall()
    add_endpoint(receiver.url)
    api.hand_in(alma)
    drain()
    receiver.pause = 10.0
    open_jobs(redis_url).wake_webhooks()
    worker = run("worker", "--queue", "webhooks")
    wait_until(lambda: bool(receiver.requests))
    with database.read() as session:
        taken = session.scalars(select(WebhookEndpoint.taken_until)).one()
    # The job runs in a child with a group of its own.
    horses = subprocess.run(["pgrep", "-P", str(worker.pid)], capture_output=True, text=True, check=True)
    for pid in [worker.pid, *map(int, horses.stdout.split())]:
        os.kill(pid, signal.SIGKILL)
    worker.wait(timeout=10)
    assert taken is not None
    assert statuses(database) == ["waiting"]
    receiver.pause = 0.0
    # As if the time for which it had the endpoint were over.
    with database.write() as session:
        session.execute(update(WebhookEndpoint).values(taken_until=datetime.now(UTC) - timedelta(seconds=1)))
    Redis.from_url(redis_url).flushall()
    assert run("sweep", "--once").wait(timeout=PATIENCE_SECONDS) == 0
    assert run("worker", "--queue", "webhooks", "--burst").wait(timeout=PATIENCE_SECONDS) == 0
    assert statuses(database) == ["delivered"]
    first, second = receiver.ids()
    assert first == second


def test_a_redis_that_forgot_everything_costs_no_delivery(
    api: Api, alma: NewSite, receiver: Receiver, add_endpoint: AddEndpoint, drain: Callable[[], int],
    database: Database, redis_url: str, run: Callable[..., "subprocess.Popen[bytes]"],
) -> None:  # fmt: skip
    add_endpoint(receiver.url)
    api.hand_in(alma)
    drain()
    open_jobs(redis_url).wake_webhooks()
    Redis.from_url(redis_url).flushall()
    assert run("worker", "--queue", "webhooks", "--burst").wait(timeout=PATIENCE_SECONDS) == 0
    assert statuses(database) == ["waiting"]
    assert run("sweep", "--once").wait(timeout=PATIENCE_SECONDS) == 0
    assert run("worker", "--queue", "webhooks", "--burst").wait(timeout=PATIENCE_SECONDS) == 0
    assert statuses(database) == ["delivered"]


def test_a_test_prints_what_came_back(
    receiver: Receiver, add_endpoint: AddEndpoint, run: Callable[..., "subprocess.Popen[bytes]"]
) -> None:
    endpoint = add_endpoint(receiver.url)
    assert run("webhook", "test", endpoint.id).wait(timeout=PATIENCE_SECONDS) == 0
    receiver.status = 500
    assert run("webhook", "test", endpoint.id).wait(timeout=PATIENCE_SECONDS) == 2
    assert len(receiver.requests) == 2
