"""Following up the decisions: the sweeper keeps what the workers leave of texts, and forgets it in time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from moderation.database import Database
from moderation.models import Comment, Decision, LinkDomain, Memory, Submission, TextImprint, TraceProgress
from moderation.scoring import words_of
from moderation.services import following, recall, traces
from moderation.services.access import NewModerator, NewSite
from moderation.services.following import anything_to_follow, follow_decisions
from moderation.services.nearest import find_nearest
from moderation.services.recall import forget_memories, remember
from moderation.services.traces import KEPT, forget_traces
from tests.conftest import Api
from tests.together import together
from workers import sweeper
from workers.process import Process
from workers.sweeper import sweep_now

Drain = Callable[[], int]
BODY = "Some words about a lamp with a link to https://lamps.example/{} and some more words after it."


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No decision is too young to be followed up."""
    monkeypatch.setattr(following, "SETTLED", timedelta(seconds=-5))


@pytest.fixture
def decided(api: Api, alma: NewSite, drain: Drain) -> list[str]:
    """Five comments that the policy approved."""
    ids = [api.hand_in(alma, BODY.format(n))["id"] for n in range(5)]
    assert drain() == 5
    return ids


def count(database: Database, table: type) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def follow(database: Database, most: int = 100) -> int:
    with database.write() as session:
        return follow_decisions(session, words_of, datetime.now(UTC), most)


def test_a_worker_keeps_traces_only_of_what_it_held(
    api: Api, alma: NewSite, drain: Drain, database: Database, decided: list[str]
) -> None:
    assert count(database, TextImprint) == count(database, LinkDomain) == 0
    api.hand_in(alma, "score:spam=0.6 " + BODY)
    drain()
    assert count(database, TextImprint) == count(database, LinkDomain) == 1


def test_the_sweeper_keeps_the_others(process: Process, database: Database, decided: list[str]) -> None:
    sweep_now(process)
    assert count(database, TextImprint) == count(database, LinkDomain) == 5
    with database.read() as session:
        found = find_nearest(session, session.get_one(Comment, decided[0]))
        assert {one.comment.id for one in found} < set(decided[1:])
        assert not anything_to_follow(session, datetime.now(UTC))
    assert follow(database) == 0


def test_the_others_are_kept_when_few_comments_wait_or_after_a_minute(
    api: Api,
    alma: NewSite,
    drain: Drain,
    process: Process,
    database: Database,
    decided: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    api.hand_in(alma, BODY.format("waits"))
    monkeypatch.setattr(sweeper, "MANY_WAITING", 1)
    sweep_now(process)
    assert count(database, TextImprint) == 0
    with monkeypatch.context() as a_minute_later:
        a_minute_later.setattr(sweeper, "FOLLOWED_LATER", timedelta(0))
        sweep_now(process)
    assert count(database, TextImprint) == 5
    drain()
    sweep_now(process)
    assert count(database, TextImprint) == 6


def test_it_goes_on_where_it_stopped(database: Database, decided: list[str]) -> None:
    assert [follow(database, 2) for _ in range(4)] == [2, 2, 1, 0]
    assert count(database, TextImprint) == 5


def test_comments_of_before_there_were_traces_are_found_too(
    process: Process, database: Database, decided: list[str]
) -> None:
    with database.read() as session:
        assert session.scalar(select(TraceProgress.decision_id)) is None
    sweep_now(process)
    assert count(database, TextImprint) == 5


def test_the_youngest_decisions_are_left_for_later(
    database: Database, decided: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "SETTLED", timedelta(seconds=60))
    assert follow(database) == 0
    monkeypatch.setattr(following, "SETTLED", timedelta(seconds=-5))
    assert follow(database) == 5


def test_two_sweepers_at_once_do_the_work_once(database: Database, decided: list[str]) -> None:
    done = together([lambda: follow(database)] * 4)
    assert sorted(done, key=str) == [0, 0, 0, 5]
    assert count(database, TextImprint) == count(database, LinkDomain) == 5


def test_dying_half_way_leaves_nothing_behind_and_the_next_one_does_it_all(
    database: Database, decided: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(following, "update", die)
        with pytest.raises(RuntimeError):
            follow(database)
    assert count(database, TextImprint) == count(database, LinkDomain) == 0
    assert follow(database) == 5


def test_what_was_edited_since_has_nothing_to_keep(
    api: Api, alma: NewSite, database: Database, decided: list[str]
) -> None:
    api.call("PUT", f"/api/v1/comments/{decided[0]}", alma.secret_key, json={"body": "another text"})
    assert follow(database) == 6
    assert count(database, TextImprint) == 4


def test_a_text_without_two_words_leaves_no_imprint_and_stops_nobody(
    api: Api, alma: NewSite, drain: Drain, database: Database
) -> None:
    for body in ("Yes", "!!!", BODY):
        api.hand_in(alma, body)
    drain()
    assert follow(database) == 3
    assert count(database, TextImprint) == 1


def test_a_text_that_cannot_be_read_stops_nobody(
    process: Process, database: Database, decided: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(body: str) -> list[str]:
        if "/3" in body:
            raise RuntimeError
        return words_of(body)

    monkeypatch.setattr("workers.sweeper.words_of", fail)
    sweep_now(process)
    assert (count(database, TextImprint), count(database, LinkDomain)) == (4, 5)


def test_traces_older_than_anybody_looks_for_are_deleted(
    process: Process, database: Database, decided: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    follow(database)
    later = datetime.now(UTC) + KEPT + timedelta(hours=1)
    with database.write() as session:
        assert forget_traces(session, datetime.now(UTC), 100) == 0
        assert forget_traces(session, later, 2) == 4
        assert forget_traces(session, later, 100) == 6
    assert count(database, TextImprint) == count(database, LinkDomain) == 0
    # What is that old is not kept anew.
    assert follow(database) == 0


def test_the_sweeper_deletes_them(
    process: Process, database: Database, decided: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep_now(process)
    monkeypatch.setattr(traces, "KEPT", timedelta(seconds=-60))
    sweep_now(process)
    assert count(database, TextImprint) == count(database, LinkDomain) == 0


def test_a_site_keeps_its_latest_memories_only(
    database: Database, alma: NewSite, decided: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    follow(database)
    monkeypatch.setattr(recall, "MOST_OF_A_SITE", 3)
    with database.write() as session:
        ids = session.scalars(select(Submission.id).order_by(Submission.id)).all()
        for submission_id in ids:
            remember(session, alma.site_id, submission_id)
        recall.forget_surplus(session, alma.site_id, 100)
    with database.read() as session:
        assert session.scalars(select(Memory.submission_id).order_by(Memory.submission_id)).all() == ids[2:]
        assert not session.scalars(
            select(recall.MemoryKey.submission_id).where(recall.MemoryKey.submission_id.in_(ids[:2]))
        ).all()


def test_memories_that_no_policy_asks_for_are_deleted(
    database: Database, alma: NewSite, decided: list[str]
) -> None:
    follow(database)
    with database.write() as session:
        for submission_id in session.scalars(select(Submission.id)).all():
            remember(session, alma.site_id, submission_id)
        assert forget_memories(session, datetime.now(UTC), 100) == 0
        assert forget_memories(session, datetime.now(UTC) + timedelta(days=366), 100) == 5
    assert count(database, recall.MemoryKey) == 0


def test_a_decision_of_people_that_was_made_without_an_imprint_is_remembered(
    api: Api, alma: NewSite, bruno: NewModerator, drain: Drain, database: Database
) -> None:
    api.hand_in(alma, "score:spam=0.6 " + BODY)
    drain()
    with database.write() as session:
        # As code of before would have left it.
        session.execute(update(TextImprint).values(key_1=None))
        session.query(TextImprint).delete()
    (item,) = api.queue(bruno)
    assert api.decide(bruno, item, "reject").status_code == 200
    assert count(database, Memory) == 0
    follow(database)
    assert count(database, Memory) == 1
    with database.read() as session:
        assert session.scalar(select(TextImprint.key_1)) is not None
        assert session.scalar(select(func.count()).select_from(Decision)) == 2
