"""The retraining job with the real classifier: workers.retraining"""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import workers.retraining
from classifier import Classifier
from classifier.evaluation import Regression
from moderation.database import Database
from moderation.label_lines import take_lines
from moderation.models import RetrainingRun
from moderation.scoring import Scorer, open_scorer
from moderation.services.labels import LabelledComment, label_text, labelled_comments
from moderation.services.retraining import get_run, request_run, take_run
from moderation.settings import Settings
from tests.conftest import make_process
from tests.fakes import FakeWakeUps
from workers.process import Process
from workers.retraining import retrain_process, split_by_time

# A site whose readers talk about things the shipped model cannot know to be unwanted there.
UNWANTED = ["my knitting circle", "knitting patterns", "join our knitting", "knitting needles"]
WANTED = ["the bridge", "the river walk", "the old lamp", "the evening train"]
# Near-copies count once, so the words around them vary.
AROUND = "{} and {} number {} said"
FILLERS = [
    "amber",
    "basket",
    "copper",
    "dune",
    "ember",
    "fern",
    "gravel",
    "harbour",
    "island",
    "juniper",
    "kettle",
    "lantern",
    "meadow",
    "north",
]


@pytest.fixture
def scorer(settings: Settings) -> Scorer:
    return open_scorer(settings)


@pytest.fixture
def process(settings: Settings, database: Database, scorer: Scorer) -> Process:
    return make_process(settings, database, FakeWakeUps(), scorer)


def teach(database: Database, count: int, *, upside_down: bool = False) -> None:
    """Label `count` texts of the site; `upside_down` ones are newer and say the opposite."""
    rng = random.Random(upside_down)
    start = datetime.now(UTC) - timedelta(days=1 if upside_down else 2)
    with database.write() as session:
        for n in range(count):
            unwanted = n % 2 == 0
            words = UNWANTED if unwanted else WANTED
            body = AROUND.format(rng.choice(words), rng.choice(words), n + 1000 * upside_down)
            body += " " + " ".join(rng.sample(FILLERS, 8))
            label_text(
                session, {"body": body}, {"spam": unwanted != upside_down}, start + timedelta(minutes=n)
            )


def run_once(process: Process) -> RetrainingRun:
    with process.database.write() as session:
        run_id = request_run(session, "Carla", datetime.now(UTC)).id
    retrain_process(process, run_id)
    with process.database.read() as session:
        return get_run(session, run_id)


def test_labels_that_teach_something_promote_a_challenger_that_is_used_at_once(
    process: Process, database: Database, scorer: Scorer
) -> None:
    before = scorer.score([{"body": AROUND.format("my knitting circle", "knitting needles", 1)}])
    teach(database, 300)
    run = run_once(process)
    assert run.status == "promoted", run.reason
    assert run.champion == before.model_version
    assert run.metrics["challenger"] and run.metrics["champion"]
    assert run.metrics["gain"]["overall"]["low"] > 0 and set(run.metrics["gain"]) == {"overall", "spam"}
    assert scorer.registry.card(str(run.challenger))["data"]["labelled"].keys() == {"first", "last"}
    after = scorer.score([{"body": AROUND.format("my knitting circle", "knitting needles", 1)}])
    assert after.model_version == run.challenger
    assert after.rows[0]["spam"] > 2 * before.rows[0]["spam"]


def test_a_rollback_brings_the_earlier_model_back_at_once(
    process: Process, database: Database, scorer: Scorer
) -> None:
    shipped = scorer.current().version
    teach(database, 300)
    assert run_once(process).status == "promoted"
    assert scorer.registry.rollback() == shipped
    assert scorer.current().version == shipped


def test_a_model_that_came_into_force_meanwhile_is_not_overridden(
    process: Process, database: Database, scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    teach(database, 300)
    compared = workers.retraining.compare

    def somebody_promotes(champion: Classifier, *others: Any) -> Any:
        scorer.registry.add(
            Classifier(champion.network, {**champion.card, "version": "v-9", "parent": champion.version})
        )
        scorer.registry.promote("v-9")
        return compared(champion, *others)

    monkeypatch.setattr(workers.retraining, "compare", somebody_promotes)
    run = run_once(process)
    assert (run.status, scorer.registry.champion()) == ("kept", "v-9")
    assert run.reason == "v-9 came into force during the run."


def test_the_reason_names_moderators_whose_labels_were_left_out(
    process: Process, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    teach(database, 300)
    made = workers.retraining.examples_from
    monkeypatch.setattr(
        workers.retraining,
        "examples_from",
        lambda *given: replace(
            made(*given), figures={**made(*given).figures, "contrary_moderators": ["mod_7"]}
        ),
    )
    run = run_once(process)
    assert (run.reason or "").endswith("of mod_7 were left out: they say the opposite of all others'.")
    assert run.metrics["labels"]["contrary_moderators"] == ["mod_7"]


def test_a_challenger_that_unlearned_something_is_kept_out(
    process: Process, database: Database, scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    teach(database, 300)
    monkeypatch.setattr(
        workers.retraining,
        "regression",
        lambda *_: Regression({"toxicity": {"challenger": 0.6}}, ["toxicity"]),
    )
    champion = scorer.registry.champion()
    run = run_once(process)
    assert (run.status, scorer.registry.champion()) == ("kept", champion)
    assert "it unlearned toxicity" in (run.reason or "")
    assert run.metrics["regression"]["lost"] == ["toxicity"]


def test_labels_that_teach_nothing_keep_the_champion_and_say_why(
    process: Process, database: Database, scorer: Scorer
) -> None:
    # The older half says one thing, the newer half, which judges, the opposite.
    teach(database, 60)
    teach(database, 26, upside_down=True)
    champion = scorer.current().version
    run = run_once(process)
    assert (run.status, scorer.current().version) == ("kept", champion)
    assert run.reason


def test_too_few_labels_keep_the_champion_and_tell_how_many_are_missing(
    process: Process, database: Database
) -> None:
    teach(database, 5)
    run = run_once(process)
    assert (run.status, run.reason) == ("kept", "5 labelled comments, 20 are needed")


def test_a_run_that_was_ended_is_not_run_again(process: Process, database: Database) -> None:
    teach(database, 5)
    run = run_once(process)
    retrain_process(process, run.id)
    with database.read() as session:
        assert get_run(session, run.id).attempts == 1


def killed_after_the_promotion(process: Process, database: Database, monkeypatch: pytest.MonkeyPatch) -> str:
    """A run whose worker died before it wrote down how it ended."""
    teach(database, 300)
    with database.write() as session:
        run_id = request_run(session, "Carla", datetime.now(UTC)).id

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(workers.retraining, "finish_run", killed)
        with pytest.raises(KeyboardInterrupt):
            retrain_process(process, run_id)
    _forget_the_heartbeat(database, run_id)
    return run_id


def test_a_run_killed_after_the_promotion_ends_as_promoted(
    process: Process, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = killed_after_the_promotion(process, database, monkeypatch)
    retrain_process(process, run_id)
    with database.read() as session:
        run = get_run(session, run_id)
    assert (run.status, run.attempts) == ("promoted", 2)


def test_a_run_taken_up_again_does_not_promote_what_was_rolled_back_meanwhile(
    process: Process, database: Database, scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = killed_after_the_promotion(process, database, monkeypatch)
    back = scorer.registry.rollback()
    retrain_process(process, run_id)
    with database.read() as session:
        run = get_run(session, run_id)
    assert (run.status, scorer.registry.champion()) == ("kept", back)
    assert "promote it by hand" in (run.reason or "")


def test_an_error_ends_the_run_with_its_reason(
    process: Process, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workers import retraining

    def broken(*_: object, **__: object) -> None:
        raise MemoryError("comment text must not be shown")

    teach(database, 40)
    monkeypatch.setattr(retraining, "fit_challenger", broken)
    run = run_once(process)
    assert (run.status, run.reason) == ("failed", "MemoryError while retraining")


def test_a_running_run_is_not_taken_by_a_second_worker(database: Database) -> None:
    now = datetime.now(UTC)
    with database.write() as session:
        run_id = request_run(session, "Carla", now).id
        assert take_run(session, run_id, now) is not None
        assert take_run(session, run_id, now + timedelta(seconds=30)) is None


def test_the_newest_labels_judge_and_the_older_teach() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    labelled = [
        LabelledComment({"body": str(n)}, {"spam": True}, 1.0, "import", now + timedelta(days=n), None)
        for n in (3, 1, 2, 0, 4, 5, 6, 7, 8, 9)
    ]
    teaching, judging = split_by_time(labelled)
    assert [one.comment["body"] for one in judging] == ["7", "8", "9"]
    assert len(teaching) == 7


def test_an_import_keeps_the_time_a_label_was_learned_but_no_time_to_come(database: Database) -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    lines = [
        b'{"body": "old", "labels": {"spam": true}, "at": "2025-01-02T03:04:05.678Z"}',
        b'{"body": "to come", "labels": {"spam": true}, "at": "2099-01-01T00:00:00Z"}',
        b'{"body": "new", "labels": {"spam": true}}',
    ]
    assert take_lines(database, lines, now).problems == []
    with database.read() as session:
        times = {one.comment["body"]: one.at for one in labelled_comments(session)}
    assert times == {
        "old": datetime(2025, 1, 2, 3, 4, 5, 678000, tzinfo=UTC),
        "to come": now,
        "new": now,
    }


def _forget_the_heartbeat(database: Database, run_id: str) -> None:
    with database.write() as session:
        get_run(session, run_id).heartbeat_at = datetime.now(UTC) - timedelta(hours=1)
