"""Retraining runs that begin by themselves: workers.beginning"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from moderation.database import Database
from moderation.models import Label
from moderation.services.labels import label_text
from moderation.services.retraining import RunStatus, finish_run, latest_runs, request_run, take_run
from workers.beginning import begin_run, turns
from workers.process import Process
from workers.sweeper import sweep_now

Begin = Callable[..., list[str]]
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def begin(process: Process, database: Database) -> Begin:
    """Look once, with these settings and at this moment; who asked for each run, the oldest first."""

    def look(now: datetime = NOW, **wanted: Any) -> list[str]:
        turns.next = 0.0
        begin_run(replace(process, settings=replace(process.settings, **wanted)), now)
        with database.read() as session:
            return [run.requested_by for run in reversed(latest_runs(session))]

    return look


def label(database: Database, count: int, at: datetime = NOW, *, first: int = 0) -> None:
    """Label `count` texts of two categories each."""
    with database.write() as session:
        for n in range(first, first + count):
            label_text(session, {"body": f"text number {n}"}, {"spam": False, "toxicity": False}, at)


def end_runs(database: Database, at: datetime) -> None:
    with database.write() as session:
        for run in latest_runs(session):
            if take_run(session, run.id, at) is not None:
                finish_run(session, run.id, RunStatus.KEPT, "not better", at)


def test_none_begins_unless_somebody_wished_for_it(begin: Begin, database: Database) -> None:
    label(database, 30)
    assert begin() == []


def test_one_begins_after_so_many_labelled_texts(begin: Begin, database: Database, process: Process) -> None:
    label(database, 4)
    assert begin(retrain_after_labels=5) == []
    label(database, 1, first=4)
    assert begin(retrain_after_labels=5) == ["new labels"]
    assert len(process.jobs.runs) == 1  # type: ignore[attr-defined]


def test_what_was_labelled_before_the_last_run_is_not_new(begin: Begin, database: Database) -> None:
    label(database, 5, NOW - timedelta(hours=1))
    assert begin(NOW - timedelta(minutes=30), retrain_after_labels=5) == ["new labels"]
    end_runs(database, NOW)
    assert begin(retrain_after_labels=5) == ["new labels"]
    label(database, 5, NOW, first=5)
    assert begin(NOW + timedelta(minutes=1), retrain_after_labels=5) == ["new labels", "new labels"]


def test_labels_taken_back_do_not_count(begin: Begin, database: Database) -> None:
    label(database, 5)
    with database.write() as session:
        session.execute(update(Label).values(retracted_at=NOW))
    assert begin(retrain_after_labels=5, retrain_every_hours=1.0) == []


def test_one_begins_so_many_hours_after_the_last(begin: Begin, database: Database) -> None:
    label(database, 1, NOW - timedelta(hours=30))
    assert begin(NOW - timedelta(hours=29), retrain_every_hours=24.0) == ["schedule"]
    end_runs(database, NOW - timedelta(hours=28))
    label(database, 1, NOW - timedelta(hours=20), first=1)
    assert begin(NOW - timedelta(hours=6), retrain_every_hours=24.0) == ["schedule"]
    assert begin(NOW, retrain_every_hours=24.0) == ["schedule", "schedule"]


def test_none_begins_on_schedule_when_nothing_was_labelled(begin: Begin, database: Database) -> None:
    assert begin(retrain_every_hours=1.0) == []


def test_none_begins_while_another_is_open(begin: Begin, database: Database, process: Process) -> None:
    with database.write() as session:
        request_run(session, "Carla", NOW - timedelta(hours=2))
    label(database, 5)
    assert begin(retrain_after_labels=5, retrain_every_hours=1.0) == ["Carla"]
    assert process.jobs.runs == []  # type: ignore[attr-defined]


def test_of_two_sweepers_that_look_at_once_one_asks(begin: Begin, database: Database) -> None:
    label(database, 5)
    assert begin(retrain_after_labels=5) == ["new labels"]
    assert begin(retrain_after_labels=5) == ["new labels"]


def test_the_sweeper_looks(process: Process, database: Database) -> None:
    label(database, 5)
    turns.next = 0.0
    sweep_now(replace(process, settings=replace(process.settings, retrain_after_labels=5)))
    with database.read() as session:
        assert [run.requested_by for run in latest_runs(session)] == ["new labels"]
