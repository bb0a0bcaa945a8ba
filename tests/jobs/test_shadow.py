"""A model in the shadow: it scores what comes and decides nothing, whatever happens to it"""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.exc import OperationalError

from moderation.database import Database
from moderation.models import Decision, Label, QueueItem, Score, Shadow, ShadowScore
from moderation.scoring import ModelError, Scores
from moderation.services import shadows
from moderation.services.access import NewModerator, NewSite
from moderation.services.drift import sample
from moderation.services.policies import change_policy
from moderation.services.shadows import Comparison, begin_shadow, compare, end_shadow, get_shadow, open_shadow
from tests.conftest import Api
from tests.fakes import FakeScorer
from tests.shadow import learn
from workers import shadowing
from workers.process import Process
from workers.sweeper import look_after_shadows

Drain = Callable[[], int]


@pytest.fixture
def scorer() -> FakeScorer:
    """Beside the model in force there is one that sees less in everything."""
    made = FakeScorer()
    made.versions["milder"] = 0.6
    return made


@pytest.fixture
def shadow(database: Database, process: Process) -> Shadow:
    """The milder one scores in the shadow, and the worker knows."""
    made = begin(database)
    learn(process)
    return made


def begin(database: Database, version: str = "milder", at: datetime | None = None) -> Shadow:
    with database.write() as session:
        return begin_shadow(session, version, "Carla", at or datetime.now(UTC))


def count(database: Database, table: type) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def shown(database: Database) -> Comparison:
    with database.read() as session:
        return compare(session, get_shadow(session, "milder"))


def test_it_scores_what_comes_and_decides_nothing(
    api: Api, alma: NewSite, drain: Drain, database: Database, shadow: Shadow
) -> None:
    bodies = ("fine", "score:spam=0.6 doubtful", "score:spam=0.95 clear")
    ids = [api.hand_in(alma, body)["id"] for body in bodies]
    assert drain() == 3
    assert [api.fate(alma, one)[0] for one in ids] == ["approved", "held", "rejected"]
    found = shown(database)
    assert (found.comments, found.differing, found.agreement) == (3, 2, 0.3333)
    assert found.changes == {"held to approved": 1, "rejected to held": 1}
    spam, toxicity, *_ = found.categories
    assert (spam.category, spam.mean) == ("spam", round(-0.4 * (0.01 + 0.6 + 0.95) / 3, 4))
    assert (toxicity.category, toxicity.mean, toxicity.absolute) == ("toxicity", -0.004, 0.004)


def test_nothing_that_reads_scores_meets_those_of_a_shadow(
    api: Api,
    alma: NewSite,
    bruno: NewModerator,
    carla: NewModerator,
    drain: Drain,
    database: Database,
    shadow: Shadow,
) -> None:
    held = api.hand_in(alma, "score:spam=0.6 doubtful")["id"]
    published = api.hand_in(alma, "score:spam=0.4 fine")["id"]
    drain()
    api.call(
        "POST",
        f"/api/v1/comments/{published}/reports",
        alma.secret_key,
        json={"reporter": "r", "reason": "spam"},
    )
    assert count(database, ShadowScore) == 2
    with database.read() as session:
        assert set(session.scalars(select(Score.model_version))) == {"fake-1"}
        assert set(session.scalars(select(Decision.model_version))) == {"fake-1"}
        assert set(session.scalars(select(QueueItem.model_version))) == {"fake-1"}
        now = datetime.now(UTC)
        hour = timedelta(hours=1)
        assert sorted(sample(session, "fake-1", now - hour, now + hour).scores["spam"]) == [0.4, 0.6]
        assert len(sample(session, "milder", now - hour, now + hour)) == 0
    items = {item["comment"]["id"]: item for item in api.queue(bruno)}
    assert items[held]["scores"]["spam"] == 0.6 and items[published]["scores"]["spam"] == 0.4
    path = f"/api/v1/sites/{alma.site_id}/policy/preview"
    answer = api.call("POST", path, carla.key, json={"settings": {"thresholds": {"spam": {"hold": 0.3}}}})
    sample_of = {one["comment_id"]: one["scores"] for one in answer.get_json()["sample"]}
    assert all(scores["spam"] in (0.4, 0.6) for scores in sample_of.values())
    api.decide(bruno, items[held], "approve")
    assert count(database, Label) == 2


def test_a_comment_reported_later_shows_the_scores_it_was_decided_on(
    api: Api, alma: NewSite, bruno: NewModerator, drain: Drain, database: Database
) -> None:
    published = api.hand_in(alma, "score:spam=0.4 fine")["id"]
    drain()
    with database.write() as session:
        score = session.scalars(select(Score)).one()
        later = {**score.by_category(), "spam": 0.99}
        session.add(
            Score(
                submission_id=score.submission_id,
                model_version="of a proof",
                created_at=datetime.now(UTC) + timedelta(hours=1),
                **later,
            )
        )
    path = f"/api/v1/comments/{published}/reports"
    api.call("POST", path, alma.secret_key, json={"reporter": "r", "reason": "spam"})
    (item,) = api.queue(bruno)
    assert item["scores"]["spam"] == 0.4


def test_without_a_shadow_nothing_is_scored_twice_and_the_database_is_asked_once_in_a_while(
    api: Api, alma: NewSite, drain: Drain, process: Process, database: Database, scorer: FakeScorer
) -> None:
    asked: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "shadows" in statement:
            asked.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        for n in range(5):
            api.hand_in(alma, f"number {n}")
            drain()
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    assert len(asked) == 1
    assert scorer.batches == [1] * 5


def test_it_begins_without_a_restart_and_ends_without_one(
    api: Api, alma: NewSite, drain: Drain, process: Process, database: Database
) -> None:
    learn(process)
    shadow = begin(database)
    learn(process)
    api.hand_in(alma, "one")
    drain()
    with database.write() as session:
        assert end_shadow(session, shadow, "Carla", "by hand", datetime.now(UTC))
    learn(process)
    api.hand_in(alma, "two")
    drain()
    assert count(database, ShadowScore) == 1


class Broken:
    """A model that fails, in a way of its own."""

    def __init__(self, how: Callable[[int], list[dict[str, float]]]) -> None:
        self.how, self.calls = how, 0

    def score(self, comments: Sequence[Mapping[str, Any]]) -> Scores:
        self.calls += 1
        return Scores("milder", self.how(len(comments)), {})


def fail(_: int) -> list[dict[str, float]]:
    raise MemoryError("a secret text")


def no_number(n: int) -> list[dict[str, float]]:
    return [{"spam": float("nan")}] * n


@pytest.mark.parametrize("how", [fail, no_number, lambda _: []])
def test_a_shadow_that_fails_ends_and_says_so_once(
    api: Api,
    alma: NewSite,
    drain: Drain,
    process: Process,
    database: Database,
    shadow: Shadow,
    how: Callable[[int], list[dict[str, float]]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = process.shadow.model = Broken(how)
    with caplog.at_level(logging.INFO, "workers.shadowing"):
        for n in range(3):
            api.hand_in(alma, f"number {n}")
            assert drain() == 1
    assert broken.calls == 1
    (line,) = caplog.messages
    assert line.startswith("the shadow milder ends: ") and "secret" not in line
    assert count(database, ShadowScore) == 0 and count(database, Score) == 3
    with database.read() as session:
        assert open_shadow(session) is None
        assert get_shadow(session, "milder").ended_because in {"MemoryError", "ValueError"}


def test_a_missing_model_ends_the_shadow(
    api: Api,
    alma: NewSite,
    drain: Drain,
    process: Process,
    database: Database,
    caplog: pytest.LogCaptureFixture,
) -> None:
    begin(database, "nonsense")
    learn(process)
    api.hand_in(alma, "one")
    assert drain() == 1
    with database.read() as session:
        assert get_shadow(session, "nonsense").ended_because == "UnknownVersion"
    assert caplog.messages.count("the shadow nonsense ends: UnknownVersion") == 1


def test_a_model_that_takes_long_to_load_keeps_nobody_waiting(
    api: Api,
    alma: NewSite,
    drain: Drain,
    process: Process,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from threading import Event

    loading, may_end = Event(), Event()

    def slowly(_: str) -> None:
        loading.set()
        assert may_end.wait(30)
        raise ModelError("at last")

    monkeypatch.setattr(process.scorer, "of_version", slowly)
    begin(database)
    api.hand_in(alma, "one")
    assert drain() == 1
    assert loading.wait(30)
    api.hand_in(alma, "two")
    assert drain() == 1
    may_end.set()
    assert process.shadow.loader is not None
    process.shadow.loader.join()
    with database.read() as session:
        assert open_shadow(session) is None


def test_a_database_that_fails_costs_the_shadow_a_batch(
    api: Api,
    alma: NewSite,
    drain: Drain,
    database: Database,
    shadow: Shadow,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object) -> None:
        raise OperationalError("INSERT", {}, Exception("disk full"))

    api.hand_in(alma, "one")
    with monkeypatch.context() as patch:
        patch.setattr(shadowing, "keep_shadow_scores", full)
        assert drain() == 1
    api.hand_in(alma, "two")
    drain()
    assert shown(database).comments == 1
    with database.read() as session:
        assert open_shadow(session) is not None


def test_it_ends_when_it_comes_into_force(
    api: Api, alma: NewSite, drain: Drain, database: Database, shadow: Shadow, scorer: FakeScorer
) -> None:
    scorer.version = "milder"
    api.hand_in(alma, "one")
    drain()
    with database.read() as session:
        assert get_shadow(session, "milder").ended_because == "it is in force"
    assert count(database, ShadowScore) == 0


def test_what_the_model_in_force_failed_on_is_left_out(
    api: Api, alma: NewSite, drain: Drain, database: Database, shadow: Shadow
) -> None:
    api.hand_in(alma, "poison")
    api.hand_in(alma, "fine")
    assert drain() == 2
    assert shown(database).comments == 1


def test_promises_are_left_aside_on_both_sides(
    api: Api, alma: NewSite, drain: Drain, database: Database, shadow: Shadow
) -> None:
    with database.write() as session:
        promise = {"promises": {"spam": {"publish": 0.9}}}
        change_policy(session, alma.site_id, promise, datetime.now(UTC))
    comment = api.hand_in(alma, "fine")["id"]
    drain()
    assert api.fate(alma, comment) == ("held", "unproven")
    assert shown(database).agreement == 1.0


def test_the_sweeper_ends_it_after_two_weeks(process: Process, database: Database) -> None:
    now = datetime.now(UTC)
    begin(database, at=now - timedelta(days=13))
    look_after_shadows(process, now)
    with database.read() as session:
        assert open_shadow(session) is not None
    look_after_shadows(process, now + timedelta(days=1))
    with database.read() as session:
        assert get_shadow(session, "milder").ended_because == "14 days are over"


def test_the_sweeper_ends_it_after_enough_comments(
    api: Api,
    alma: NewSite,
    drain: Drain,
    process: Process,
    database: Database,
    shadow: Shadow,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shadows, "MOST_COMMENTS", 2)
    for n in range(2):
        look_after_shadows(process, datetime.now(UTC))
        api.hand_in(alma, f"number {n}")
        drain()
    look_after_shadows(process, datetime.now(UTC))
    with database.read() as session:
        assert get_shadow(session, "milder").ended_because == "enough comments"


def test_the_sweeper_forgets_what_was_said_long_ago(
    api: Api,
    alma: NewSite,
    drain: Drain,
    process: Process,
    database: Database,
    shadow: Shadow,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shadows, "DELETED_AT_ONCE", 2)
    for n in range(5):
        api.hand_in(alma, f"number {n}")
    drain()
    now = datetime.now(UTC)
    with database.write() as session:
        end_shadow(session, shadow, "Carla", "by hand", now)
    look_after_shadows(process, now + timedelta(days=29))
    assert count(database, ShadowScore) == 5
    look_after_shadows(process, now + timedelta(days=31))
    assert count(database, ShadowScore) == count(database, Shadow) == 0
    assert count(database, Score) == 5
