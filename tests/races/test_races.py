"""Two at once, on the real databases: claims, decisions, reversals, submissions, runs."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from moderation.database import Database, open_database
from moderation.domain.status import Action
from moderation.models import Comment, Decision, Label, QueueItem, RetrainingRun, Role, Submission, Thread
from moderation.services.accept import Accepted, Idempotency, NewComment, accept
from moderation.services.access import ModeratorCaller, NewSite
from moderation.services.claims import claim_next, release
from moderation.services.errors import ExternalIdTaken, NotReversible, RunInProgress, StaleItem
from moderation.services.moderate import Ruling, decide_batch, decide_item, reverse
from moderation.services.queue import QueueFilters
from moderation.services.reports import NewReport, report
from moderation.services.retraining import request_run
from tests.conftest import make_moderator, make_process, make_settings, make_site
from tests.fakes import FakeScorer, FakeWakeUps
from tests.together import together
from workers.scoring import drain_process

HELD = "score:spam=0.7"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = open_database(database_url)
    yield opened
    opened.engine.dispose()


@pytest.fixture
def site(database: Database) -> NewSite:
    return make_site(database)


@pytest.fixture
def people(database: Database) -> list[ModeratorCaller]:
    made = [make_moderator(database, f"Moderator {n}", Role.MODERATOR) for n in range(16)]
    return [ModeratorCaller(m.moderator_id, f"Moderator {n}", Role.MODERATOR) for n, m in enumerate(made)]


def fill_queue(database: Database, site: NewSite, count: int) -> None:
    """Put held comments into the queue, quickly: the way there is not the subject."""
    now = datetime.now(UTC)
    ids = [f"{n:05}" for n in range(count)]
    with database.write() as session:
        session.add(Thread(id="th", site_id=site.site_id, key="t", closed=False, created_at=now))
        session.flush()
        common = {"site_id": site.site_id}
        session.execute(
            insert(Comment),
            [
                common
                | {"id": f"c{i}", "thread_id": "th", "author": {}, "status": "held", "version": 2}
                | {"submission_id": f"s{i}", "created_at": now}
                for i in ids
            ],
        )
        session.execute(
            insert(Submission),
            [
                common
                | {"id": f"s{i}", "comment_id": f"c{i}", "body": "held", "body_bytes": 4, "body_digest": i}
                | {"context": {}, "created_at": now, "judged_at": now, "attempts": 1}
                for i in ids
            ],
        )
        session.execute(
            insert(QueueItem),
            [
                common
                | {"id": f"i{i}", "comment_id": f"c{i}", "submission_id": f"s{i}", "reason": "spam"}
                | {"findings": [], "top_score": 0.7, "opened_at": now, "version": 1}
                | {"due_at": now + timedelta(hours=1)}
                for i in ids
            ],
        )


def test_sixteen_moderators_claiming_five_hundred_items_never_share_one(
    database: Database, site: NewSite, people: list[ModeratorCaller]
) -> None:
    fill_queue(database, site, 500)

    def claim_until_none_is_left(person: ModeratorCaller) -> list[str]:
        mine: list[str] = []
        while True:
            with database.write() as session:
                ids = claim_next(
                    session, person.moderator_id, QueueFilters(), datetime.now(UTC), count=7, seconds=600
                )
            if not ids:
                return mine
            mine.extend(ids)

    claimed = together([lambda person=person: claim_until_none_is_left(person) for person in people])
    everything = [item for mine in claimed for item in mine]  # type: ignore[union-attr]
    assert len(everything) == len(set(everything)) == 500


def test_eight_moderators_work_a_queue_and_decide_each_item_once(
    database: Database, site: NewSite, people: list[ModeratorCaller]
) -> None:
    fill_queue(database, site, 300)

    def work(who: ModeratorCaller) -> list[str]:
        done: list[str] = []
        while True:
            with database.write() as session:
                items = claim_next(session, who.moderator_id, QueueFilters(), datetime.now(UTC), count=7)
            if not items:
                return done
            for n, item_id in enumerate(items):
                with database.write() as session:
                    if n == 6:
                        release(session, item_id, who, datetime.now(UTC))
                        continue
                    decide_item(session, item_id, 1, Ruling(Action.APPROVE), who, datetime.now(UTC))
                done.append(item_id)

    done = Counter(item_id for one in together([partial(work, who) for who in people[:8]]) for item_id in one)
    assert len(done) == 300 and set(done.values()) == {1}
    with database.read() as session:
        left = session.scalars(select(QueueItem).where(QueueItem.claimed_by.is_not(None))).all()
        still_open = session.scalars(select(QueueItem).where(QueueItem.closed_at.is_(None))).all()
        decisions = Counter(session.scalars(select(Decision.queue_item_id)))
    assert (left, still_open) == ([], [])
    assert set(decisions.values()) == {1}


def test_of_eight_readers_reporting_at_once_one_item_comes_that_counts_them_all(
    database: Database, site: NewSite
) -> None:
    fill_queue(database, site, 1)
    by = ModeratorCaller(make_moderator(database, "M", Role.MODERATOR).moderator_id, "M", Role.MODERATOR)
    with database.write() as session:
        decide_item(session, "i00000", 1, Ruling(Action.APPROVE), by, datetime.now(UTC))

    def complain(n: int) -> None:
        with database.write() as session:
            report(session, site.site_id, "c00000", NewReport(f"reader {n}", "spam"), datetime.now(UTC))

    together([partial(complain, n) for n in range(8)])
    with database.read() as session:
        (item,) = session.scalars(select(QueueItem).where(QueueItem.closed_at.is_(None))).all()
    assert (item.reports, item.previous_id) == (8, "i00000")


def test_of_eight_moderators_deciding_one_item_exactly_one_does(
    database: Database, site: NewSite, people: list[ModeratorCaller]
) -> None:
    fill_queue(database, site, 20)
    for n in range(20):
        results = together([lambda person=p, n=n: _decide(database, f"i{n:05}", person) for p in people[:8]])
        decided = [one for one in results if isinstance(one, str)]
        assert len(decided) == 1
        assert all(isinstance(one, StaleItem) for one in results if not isinstance(one, str)), results
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Decision)) == 20
        assert session.scalar(select(func.count()).select_from(Label)) == 40


def test_of_eight_moderators_undoing_one_decision_exactly_one_does(
    database: Database, site: NewSite, people: list[ModeratorCaller]
) -> None:
    fill_queue(database, site, 1)
    decision_id = _decide(database, "i00000", people[0])

    def undo(person: ModeratorCaller) -> str:
        with database.write() as session:
            return reverse(session, decision_id, person, datetime.now(UTC)).id

    results = together([lambda person=p: undo(person) for p in people[:8]])
    assert sum(isinstance(one, str) for one in results) == 1
    assert sum(isinstance(one, NotReversible) for one in results) == 7
    with database.read() as session:
        open_items = session.scalar(select(func.count()).where(QueueItem.closed_at.is_(None)))
        live = session.scalar(select(func.count()).where(Label.retracted_at.is_(None)))
    assert (open_items, live) == (1, 0)


def test_one_idempotency_key_used_by_sixteen_requests_makes_one_comment(
    database: Database, site: NewSite
) -> None:
    def hand_in() -> Accepted:
        new = NewComment(thread_key="new thread", body="once", author={"name": "A"})
        with database.write() as session:
            return accept(session, site.site_id, new, datetime.now(UTC), Idempotency("key", "digest"))

    results = together([hand_in] * 16)
    accepted = [one for one in results if isinstance(one, Accepted)]
    assert len(accepted) == 16, results
    assert len({one.comment_id for one in accepted}) == 1
    assert Counter(one.replayed for one in accepted) == {True: 15, False: 1}
    assert _count(database, Comment) == 1


def test_one_external_id_used_by_eight_requests_makes_one_comment(database: Database, site: NewSite) -> None:
    def hand_in() -> Accepted:
        new = NewComment(thread_key="t", body="once", author={"name": "A"}, external_id="wp-1")
        with database.write() as session:
            return accept(session, site.site_id, new, datetime.now(UTC))

    results = together([hand_in] * 8)
    assert sum(isinstance(one, Accepted) for one in results) == 1
    assert sum(isinstance(one, ExternalIdTaken) for one in results) == 7, results
    assert _count(database, Comment) == 1


def test_comments_of_sixteen_readers_on_a_new_thread_all_arrive(database: Database, site: NewSite) -> None:
    def hand_in(n: int) -> Accepted:
        with database.write() as session:
            new = NewComment(thread_key=f"new {n % 3}", body=f"comment {n}", author={"name": "A"})
            return accept(session, site.site_id, new, datetime.now(UTC))

    results = together([lambda n=n: hand_in(n) for n in range(16)])
    assert all(isinstance(one, Accepted) for one in results), results
    assert (_count(database, Comment), _count(database, Thread)) == (16, 3)


def test_a_moderator_and_the_drain_job_do_not_wait_for_each_other_forever(
    database_url: str, database: Database, site: NewSite, people: list[ModeratorCaller], tmp_path: Path
) -> None:
    fill_queue(database, site, 40)
    process = make_process(make_settings(database_url, tmp_path), database, FakeWakeUps(), FakeScorer())

    def hand_in_and_drain() -> str:
        for n in range(20):
            with database.write() as session:
                new = NewComment(thread_key="t", body=f"{HELD} {n}", author={"name": "A"})
                accept(session, site.site_id, new, datetime.now(UTC))
            drain_process(process)
        return "done"

    def decide_all() -> str:
        for n in range(40):
            _decide(database, f"i{n:05}", people[0])
        return "done"

    assert together([hand_in_and_drain, decide_all]) == ["done", "done"]


def test_two_batches_of_the_same_items_in_opposite_order_decide_each_item_once(
    database: Database, site: NewSite, people: list[ModeratorCaller]
) -> None:
    fill_queue(database, site, 60)
    items = [(f"i{n:05}", 1) for n in range(60)]

    def decide(person: ModeratorCaller, order: list[tuple[str, int]]) -> int:
        with database.write() as session:
            _, results = decide_batch(session, order, Ruling(Action.APPROVE), person, datetime.now(UTC))
            return sum(one.decision is not None for one in results)

    applied = together([lambda: decide(people[0], items), lambda: decide(people[1], items[::-1])])
    assert sorted(applied) == [0, 60]  # type: ignore[type-var]
    assert _count(database, Decision) == 60


def test_only_one_of_eight_requests_starts_a_retraining_run(database: Database) -> None:
    def start() -> str:
        with database.write() as session:
            return request_run(session, "Carla", datetime.now(UTC)).id

    results = together([start] * 8)
    assert sum(isinstance(one, str) for one in results) == 1
    assert sum(isinstance(one, RunInProgress) for one in results) == 7, results
    assert _count(database, RetrainingRun) == 1


def _decide(database: Database, item_id: str, person: ModeratorCaller) -> str:
    with database.write() as session:
        ruling = Ruling(Action.APPROVE)
        return decide_item(session, item_id, 1, ruling, person, datetime.now(UTC)).id


def _count(database: Database, table: type) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0
