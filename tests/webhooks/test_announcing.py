"""A model in force is told once, whoever died in between: workers.announcing and the outbox"""

import json
import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from moderation.database import Database
from moderation.models import RetrainingRun, WebhookDelivery
from moderation.services.retraining import RunStatus, request_run, take_run
from moderation.services.webhook_outbox import announced_model, tell_promoted
from tests.fakes import FakeRegistry, FakeScorer
from tests.webhooks.conftest import AddEndpoint
from workers.announcing import announce_model
from workers.process import Process
from workers.sweeper import sweep_now

NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def registry(scorer: FakeScorer, process: Process, add_endpoint: AddEndpoint) -> FakeRegistry:
    """Of an installation whose model of before is known to have been in force."""
    add_endpoint("https://blog.example.org/hook")
    sweep_now(process)
    return scorer.registry


def told(database: Database) -> list[tuple[str, str]]:
    """Version and how, in order."""
    with database.read() as session:
        bodies = session.scalars(select(WebhookDelivery.body).order_by(WebhookDelivery.id)).all()
    data = [json.loads(body)["data"] for body in bodies]
    return [(one["model_version"], one["how"]) for one in data]


def test_the_model_that_is_there_at_first_is_no_news(
    registry: FakeRegistry, process: Process, database: Database
) -> None:
    sweep_now(process)
    assert told(database) == []
    with database.read() as session:
        assert announced_model(session) == "fake-1"


def test_a_promotion_that_nobody_told_of_is_told_once(
    registry: FakeRegistry, process: Process, database: Database
) -> None:
    registry.promote("fake-2")
    sweep_now(process)
    sweep_now(process)
    assert told(database) == [("fake-2", "promotion")]
    registry.rollback()
    sweep_now(process)
    assert told(database) == [("fake-2", "promotion"), ("fake-1", "rollback")]


def test_what_was_told_is_not_told_again(
    registry: FakeRegistry, process: Process, database: Database
) -> None:
    registry.promote("fake-2")
    with database.write() as session:
        assert tell_promoted(session, "fake-2", "promotion", NOW)
        assert not tell_promoted(session, "fake-2", "promotion", NOW)
    sweep_now(process)
    assert told(database) == [("fake-2", "promotion")]


def test_who_promoted_and_the_sweeper_tell_it_once_between_them(
    registry: FakeRegistry, process: Process, database: Database
) -> None:
    def tell() -> None:
        with database.write() as session:
            tell_promoted(session, "fake-2", "promotion", NOW)

    registry.promote("fake-2")
    both = [threading.Thread(target=tell) for _ in range(3)]
    both += [threading.Thread(target=announce_model, args=(process, NOW)) for _ in range(3)]
    for one in both:
        one.start()
    for one in both:
        one.join(timeout=30)
    assert told(database) == [("fake-2", "promotion")]


def test_the_sweeper_takes_back_nothing_that_was_told_while_it_looked(
    registry: FakeRegistry, database: Database
) -> None:
    with database.write() as session:
        assert tell_promoted(session, "fake-3", "promotion", NOW)
        assert not tell_promoted(session, "fake-2", "promotion", NOW, instead_of="fake-1")
    assert told(database) == [("fake-3", "promotion")]


def test_a_run_tells_of_its_model_itself(
    registry: FakeRegistry, process: Process, database: Database
) -> None:
    with database.write() as session:
        run = request_run(session, "Carla", datetime.now(UTC))
        assert take_run(session, run.id, datetime.now(UTC)) is not None
    registry.promote("fake-2")
    sweep_now(process)
    assert told(database) == []
    with database.write() as session:
        session.execute(update(RetrainingRun).values(status=RunStatus.FAILED, slot=None))
    sweep_now(process)
    assert told(database) == [("fake-2", "promotion")]


def test_one_that_keeps_models_of_its_own_tells_nothing(
    registry: FakeRegistry, process: Process, database: Database
) -> None:
    with database.write() as session:
        tell_promoted(session, "another machine's", "promotion", NOW)
    sweep_now(process)
    assert told(database) == [("another machine's", "promotion")]
