"""Turns: endpoints that hang delay one another, and nobody else"""

import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from moderation.database import Database
from moderation.domain.webhooks import SLOW_SECONDS
from moderation.models import WebhookDelivery, WebhookEndpoint
from moderation.services.webhook_deliveries import (
    Answer,
    due_endpoints,
    next_errand,
    record_answer,
    release_endpoint,
    take_endpoint,
)
from moderation.services.webhook_outbox import tell_promoted
from tests.webhooks.conftest import AddEndpoint
from tests.webhooks.receiver import Receiver
from workers import webhooks
from workers.process import Process
from workers.webhook_sending import Sender
from workers.webhooks import ABREAST, SLOW_ABREAST, deliver_due

VERSIONS = itertools.count()
HANGING = 20


@contextmanager
def hanging() -> Iterator[tuple[str, list[socket.socket]]]:
    """A server that takes connections and never answers, and the connections."""
    listening, held = socket.create_server(("127.0.0.1", 0), backlog=100), []

    def hold() -> None:
        try:
            while True:
                held.append(listening.accept()[0])
        except OSError:
            return

    threading.Thread(target=hold, daemon=True).start()
    with listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/", held
    for one in held:
        one.close()


def tell_all(database: Database) -> None:
    """An event for every endpoint, due now."""
    with database.write() as session:
        tell_promoted(session, f"v-{next(VERSIONS)}", "promotion", datetime.now(UTC))


def arrived(receiver: Receiver, count: int, seconds: float) -> bool:
    """Whether so many requests came within this time."""
    ends = time.monotonic() + seconds
    while len(receiver.requests) < count and time.monotonic() < ends:
        time.sleep(0.02)
    return len(receiver.requests) >= count


def test_many_that_hang_delay_a_healthy_one_by_little_and_known_ones_not_at_all(
    database: Database, process: Process, receiver: Receiver, add_endpoint: AddEndpoint,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(webhooks, "SLOW_SECONDS", 1.0)
    monkeypatch.setattr(webhooks, "JOB_SECONDS", 60.0)
    monkeypatch.setattr(webhooks, "TOTAL_SECONDS", 8.0)
    sender = Sender(private=True, connect_seconds=2, total_seconds=8)
    with hanging() as (url, held):
        for _ in range(HANGING):
            add_endpoint(url)
        add_endpoint(receiver.url)
        tell_all(database)
        job = threading.Thread(target=deliver_due, args=(process, sender))
        job.start()
        assert arrived(receiver, 1, 5.0)
        assert len(held) > ABREAST
        with database.write() as session:
            hangs = WebhookEndpoint.url == url
            session.execute(update(WebhookEndpoint).where(hangs).values(slow_since=datetime.now(UTC)))
        job.join(timeout=60)
        with database.write() as session:
            session.execute(update(WebhookDelivery).values(due_at=datetime.now(UTC) - timedelta(hours=1)))
        tell_all(database)
        before = len(held)
        job = threading.Thread(target=deliver_due, args=(process, sender))
        job.start()
        assert arrived(receiver, 2, 2.0)
        assert len(held) - before <= SLOW_ABREAST
        with database.write() as session:
            session.execute(update(WebhookEndpoint).where(hangs).values(enabled=False))
        job.join(timeout=60)
    assert not job.is_alive()


def test_who_was_served_longest_ago_is_next(database: Database, add_endpoint: AddEndpoint) -> None:
    ids = [add_endpoint("http://127.0.0.1:9/").id for _ in range(3)]
    tell_all(database)
    now = datetime.now(UTC)
    with database.write() as session:
        for seconds, number in enumerate((2, 0)):
            at = now + timedelta(seconds=seconds)
            assert take_endpoint(session, ids[number], "w", at)
            release_endpoint(session, ids[number], "w")
        later = now + timedelta(seconds=5)
        assert list(due_endpoints(session, later, 9)) == [ids[1], ids[2], ids[0]]


def test_one_is_slow_until_a_try_is_not(database: Database, add_endpoint: AddEndpoint) -> None:
    endpoint = add_endpoint("http://127.0.0.1:9/")
    tell_all(database)
    now = datetime.now(UTC)

    def answered(seconds: float) -> tuple[list[str], list[str]]:
        with database.write() as session:
            session.execute(update(WebhookDelivery).values(due_at=now))
            assert take_endpoint(session, endpoint.id, "w", now)
            errand = next_errand(session, endpoint.id, "w", now)
            assert errand is not None
            record_answer(session, errand, Answer(500, 0, seconds=seconds), 0.0, now)
            release_endpoint(session, endpoint.id, "w")
            session.execute(update(WebhookDelivery).values(due_at=now))
            slow = due_endpoints(session, now, 9, slow=True)
            return list(slow), list(due_endpoints(session, now, 9, slow=False))

    assert answered(SLOW_SECONDS) == ([endpoint.id], [])
    assert answered(0.1) == ([], [endpoint.id])


def test_a_turn_that_fails_costs_no_other(
    database: Database, process: Process, receiver: Receiver, add_endpoint: AddEndpoint,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    broken = add_endpoint("http://127.0.0.1:9/")
    add_endpoint(receiver.url)
    tell_all(database)
    real: Callable[..., Answer] = webhooks.send

    def send(sender: Sender, errand: webhooks.Errand, key: bytes) -> Answer:
        if errand.endpoint_id == broken.id:
            raise OverflowError
        return real(sender, errand, key)

    monkeypatch.setattr(webhooks, "send", send)
    assert deliver_due(process, Sender(private=True)) == 1
    with database.read() as session:
        statuses = session.scalars(select(WebhookDelivery.status).order_by(WebhookDelivery.status)).all()
    assert list(statuses) == ["delivered", "waiting"]
