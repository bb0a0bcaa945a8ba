"""A batch of a backlog costs the same however much waits and however much was decided before."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from moderation.database import Database, open_database
from moderation.domain.policy import PolicySettings
from moderation.domain.rules import judge
from moderation.services.accept import Entry, NewComment, accept_all
from moderation.services.pending import (
    Judged,
    count_waiting,
    has_pending,
    read_taken,
    record_verdicts,
    signals_for,
    take_pending,
)
from tests.conftest import make_site

NOW = datetime(2026, 1, 1, tzinfo=UTC)
COMMENTS = 2_000


@pytest.fixture
def waiting(database_url: str) -> Iterator[Database]:
    """A database to which many comments came since it last made its statistics."""
    database = open_database(database_url)
    site_id = make_site(database).site_id
    with database.write() as session:
        accept_all(session, some_entries(site_id, "before"))
        session.execute(text("UPDATE submissions SET judged_at = created_at"))
        if not database.is_sqlite:
            session.execute(text("ALTER TABLE submissions SET (autovacuum_enabled = off)"))
    with database.write() as session:
        session.execute(text("ANALYZE"))
    with database.write() as session:
        accept_all(session, some_entries(site_id, "now"))
    yield database
    database.engine.dispose()


def some_entries(site_id: str, word: str) -> list[Entry]:
    """Comments to accept."""
    texts = [f"{word} {n}" for n in range(COMMENTS)]
    return [Entry(site_id, NewComment("a page", body, {"name": "A"}), NOW) for body in texts]


@contextmanager
def plans(database: Database) -> Iterator[list[str]]:
    """The plan of every statement that reads, as text."""
    found: list[str] = []
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN (FORMAT JSON) "

    def note(connection: Any, cursor: Any, statement: str, values: Any, context: Any, many: bool) -> None:
        if statement.startswith(("SELECT", "WITH", "UPDATE")) and not many:
            cursor.execute(explain + statement, values)
            found.append(json.dumps([list(row) for row in cursor.fetchall()]))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def test_taking_follows_the_index_whatever_the_statistics_say(waiting: Database) -> None:
    with plans(waiting) as found, waiting.write() as session:
        taken = take_pending(session, NOW, most=16, most_bytes=10_000, seconds=15)
    assert len(taken.ids) == 16
    assert found
    assert not [plan for plan in found if reads_all(plan)]


def test_recording_reads_the_comments_of_the_batch_alone(waiting: Database) -> None:
    with waiting.write() as session:
        taken = take_pending(session, NOW, most=4, most_bytes=10_000, seconds=15)
        held = [
            Judged(one, judge(signals_for(one, None, {}, NOW), PolicySettings()), None, None)
            for one in read_taken(session, taken.ids, NOW)
        ]
    with plans(waiting) as found, waiting.write() as session:
        assert len(record_verdicts(session, held, NOW, 24)) == 4
    assert found
    # The endpoints of webhooks are few, here none: the whole of them is one page.
    found = [plan for plan in found if "webhook_endpoints" not in plan]
    assert not [plan for plan in found if "SCAN comments" in plan or '"Seq Scan"' in plan]


@pytest.mark.parametrize("ask", [lambda s: has_pending(s, NOW), lambda s: count_waiting(s, COMMENTS)])
def test_asking_what_waits_follows_an_index(waiting: Database, ask: Callable[[Session], Any]) -> None:
    with plans(waiting) as found, waiting.read() as session:
        assert ask(session)
    assert "ix_submissions_waiting_by_site" in found[-1]
    assert not reads_all(found[-1])


def reads_all(plan: str) -> bool:
    """Whether it reads everything that waits, or the whole table, for a part of it."""
    return any(word in plan for word in ('"Sort"', "Bitmap", '"Seq Scan"', "TEMP B-TREE"))
