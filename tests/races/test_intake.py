"""Requests that come together: one commit, an outcome each; and drainers side by side."""

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from moderation.database import Database, open_database
from moderation.intake import GATHER_SECONDS, Intake
from moderation.models import Comment, Decision, Score, Submission, Thread
from moderation.services import accept as accepting
from moderation.services.accept import Accepted, Entry, Idempotency, NewComment
from moderation.services.access import NewSite
from moderation.services.errors import ExternalIdTaken, KeyReused, ParentNotFound
from tests.conftest import make_process, make_settings, make_site
from tests.fakes import FakeScorer, FakeWakeUps
from tests.together import together
from workers.scoring import drain_process

KEY = Idempotency("key", "digest")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = open_database(database_url)
    yield opened
    opened.engine.dispose()


@pytest.fixture
def site(database: Database) -> NewSite:
    return make_site(database)


@pytest.fixture
def intake(database: Database) -> Intake:
    return Intake(database, FakeWakeUps(), 1000)  # type: ignore[arg-type]


def entry(site: NewSite, body: str = "a comment", key: Idempotency | None = None, **more: str) -> Entry:
    new = NewComment(thread_key=more.pop("thread", "t"), body=body, author={"name": "A"}, **more)  # type: ignore[arg-type]
    return Entry(site.site_id, new, datetime.now(UTC), key)


def count(database: Database, table: type) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def gather(intake: Intake, entries: list[Entry]) -> list[Accepted | Exception]:
    """Let all of them wait for the same turn."""
    with intake._guard:
        intake._storing = True
    results: list[Accepted | Exception | None] = [None] * len(entries)

    def hand_in(n: int) -> None:
        try:
            results[n] = intake.accept(entries[n])
        except Exception as error:
            results[n] = error

    threads = [threading.Thread(target=hand_in, args=(n,)) for n in range(len(entries))]
    for n, thread in enumerate(threads):
        thread.start()
        while len(intake._line) <= n:
            assert thread.is_alive()
    intake._pass_on()
    for thread in threads:
        thread.join()
    return results  # type: ignore[return-value]


def test_those_who_come_together_share_a_commit_and_a_wake_up(
    database: Database, site: NewSite, intake: Intake
) -> None:
    found = gather(intake, [entry(site, f"comment {n}", thread=f"t{n % 2}") for n in range(20)])
    assert len({one.comment_id for one in found if isinstance(one, Accepted)}) == 20
    assert intake.jobs.scoring == 1  # type: ignore[attr-defined]
    assert (count(database, Comment), count(database, Submission), count(database, Thread)) == (20, 20, 2)


def test_each_of_them_gets_the_answer_to_its_own_request(
    database: Database, site: NewSite, intake: Intake
) -> None:
    found = gather(
        intake,
        [
            entry(site, "one", KEY),
            entry(site, "one", KEY),
            entry(site, "two", Idempotency("key", "another digest")),
            entry(site, "three", external_id="wp-1"),
            entry(site, "four", external_id="wp-1"),
            entry(site, "five", parent_id="c_nobody", thread="new thread"),
            entry(site, "six"),
        ],
    )
    kinds = [Accepted, Accepted, KeyReused, Accepted, ExternalIdTaken, ParentNotFound, Accepted]
    assert [type(one) for one in found] == kinds
    first, again, _, third, taken, *_ = found
    assert isinstance(again, Accepted) and isinstance(first, Accepted) and isinstance(third, Accepted)
    assert (again.comment_id, again.replayed) == (first.comment_id, True)
    assert isinstance(taken, ExternalIdTaken) and taken.comment_id == third.comment_id
    assert (count(database, Comment), count(database, Thread)) == (3, 1)


def test_a_refused_request_keeps_no_key(database: Database, site: NewSite, intake: Intake) -> None:
    refused, accepted = gather(
        intake, [entry(site, "reply", KEY, parent_id="c_nobody"), entry(site, "put right", KEY)]
    )
    assert isinstance(refused, ParentNotFound)
    assert isinstance(accepted, Accepted) and not accepted.replayed


def test_one_that_the_database_refuses_does_not_fail_its_neighbours(
    database: Database, site: NewSite, intake: Intake
) -> None:
    stranger = NewSite("site_nobody", "", "", "")
    found = gather(intake, [entry(site, "one"), entry(stranger, "two"), entry(site, "three")])
    assert [isinstance(one, Accepted) for one in found] == [True, False, True]
    assert count(database, Comment) == 2


def test_a_thread_remembered_wrongly_fails_once_at_most(
    database: Database, site: NewSite, intake: Intake
) -> None:
    intake._threads[site.site_id, "t"] = "th_of_another_database"
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        intake.accept(entry(site))
    assert isinstance(intake.accept(entry(site)), Accepted)


def test_processes_with_the_same_keys_and_threads_in_any_order_store_each_once(
    database_url: str, site: NewSite, database: Database
) -> None:
    def hand_in(order: range) -> list[str]:
        own = open_database(database_url)
        intake = Intake(own, FakeWakeUps(), 1000)  # type: ignore[arg-type]
        entries = [
            entry(
                site, f"comment {n}", Idempotency(f"key {n}", "digest"), thread=f"t{n}", external_id=f"e{n}"
            )
            for n in order
        ]
        outcomes = intake.accept_batch(entries)
        own.engine.dispose()
        return sorted(one.comment_id for one in outcomes if isinstance(one, Accepted))

    orders = [range(40), range(39, -1, -1)] * 2
    found = together([lambda order=order: hand_in(order) for order in orders])  # type: ignore[misc]
    assert all(one == found[0] for one in found), found
    assert (count(database, Comment), count(database, Thread)) == (40, 40)


def test_eight_drainers_decide_each_of_many_comments_once(
    database_url: str, database: Database, site: NewSite, tmp_path: Path
) -> None:
    other = make_site(database)
    with database.write() as session:
        entries = [entry((site, other)[n % 3 == 0], f"comment {n}") for n in range(400)]
        accepting.accept_all(session, entries)
    settings = make_settings(database_url, tmp_path, BATCH_COMMENTS="16")

    def work() -> int:
        own = make_process(settings, open_database(database_url), FakeWakeUps(), FakeScorer())
        decided = drain_process(own)
        own.database.engine.dispose()
        return decided

    decided = together([work] * 8)
    assert sum(decided) == 400, decided  # type: ignore[arg-type]
    with database.read() as session:
        statuses = Counter(session.scalars(select(Comment.status)))
    assert statuses == {"approved": 400}
    assert count(database, Decision) == count(database, Score) == 400


def test_who_comes_alone_does_not_wait_for_others(
    site: NewSite, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("moderation.intake.time.sleep", pauses.append)
    intake.accept(entry(site))
    intake.accept(entry(site))
    assert pauses == []


def test_after_a_larger_commit_the_next_waits_once_for_those_on_their_way(
    site: NewSite, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    gather(intake, [entry(site) for _ in range(3)])
    pauses: list[float] = []
    monkeypatch.setattr("moderation.intake.time.sleep", pauses.append)
    intake.accept(entry(site))
    intake.accept(entry(site))
    assert pauses == [GATHER_SECONDS]
