"""Looking for drift: what comes now against the first weeks of the model in force"""

import logging
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from moderation.database import Database
from moderation.domain.drift import Level
from moderation.domain.policy import CATEGORIES
from moderation.models import Drift
from moderation.services.access import NewSite
from moderation.services.drift import level_of, read_drift, sample, shifts_of, told_of
from tests.conftest import Api
from tests.fakes import FakeScorer
from tests.past import START, WEEK, Past
from workers import drifting
from workers.drifting import turns, watch_drift
from workers.process import Process

HOUR = timedelta(hours=1)


@pytest.fixture
def past(alma: NewSite, database: Database) -> Past:
    made = Past(database, alma.site_id)
    made.begin()
    return made


@pytest.fixture
def look(process: Process, database: Database) -> Callable[[datetime], Drift | None]:
    """Look as the sweeper does, twice: it keeps the first weeks, then it compares."""

    def look_at(now: datetime) -> Drift | None:
        for at in (now, now + HOUR):
            turns.next = 0.0
            watch_drift(process, at)
        with database.read() as session:
            return read_drift(session, "fake-1")

    return look_at


Look = Callable[[datetime], Drift | None]


def low(chance: random.Random) -> float:
    """A score in the lower half."""
    return chance.random() / 2


def found(drift: Drift | None) -> Drift:
    assert drift is not None
    return drift


def test_the_first_week_is_kept_once_it_is_over(past: Past, look: Look) -> None:
    past.came(1200, START, WEEK)
    assert look(START + WEEK - 2 * HOUR) is None
    drift = found(look(START + WEEK))
    assert (drift.since, drift.until, drift.comments) == (START, START + WEEK, 1200)
    assert set(drift.bins) == set(CATEGORIES)
    assert level_of(drift) is None and told_of(drift) == "too few comments since (0)"


def test_comments_that_score_as_before_are_no_drift(past: Past, look: Look) -> None:
    past.came(2000, START, 2 * WEEK)
    drift = found(look(START + 2 * WEEK))
    assert level_of(drift) is Level.NONE
    assert set(shifts_of(drift)) == set(CATEGORIES)
    assert told_of(drift).startswith("comments score as they did in its first weeks (9")


def test_a_clear_change_is_logged_once_and_again_when_it_is_over(
    past: Past, look: Look, caplog: pytest.LogCaptureFixture
) -> None:
    past.came(1200, START, WEEK)
    past.came(800, START + WEEK, WEEK, score=low)
    past.came(800, START + 2 * WEEK, WEEK)
    with caplog.at_level(logging.INFO, "workers.drifting"):
        for now in (2 * WEEK, 2 * WEEK + 3 * HOUR, 3 * WEEK):
            drift = found(look(START + now))
    begun, alarm, over = caplog.messages
    assert begun == "the first 1200 comments of fake-1 are what later ones are compared with"
    assert alarm.startswith("drift of fake-1: scores have clearly moved for spam (")
    assert "word" not in alarm.replace("words", "")
    assert over.startswith("no drift of fake-1 any more")
    assert level_of(drift) is Level.NONE


def test_a_quiet_blog_is_compared_over_more_weeks(past: Past, look: Look) -> None:
    past.came(8 * 150, START, 8 * WEEK)
    assert look(START + 7 * WEEK) is None
    past.came(4 * 150, START + 8 * WEEK, 4 * WEEK, score=low)
    drift = found(look(START + 12 * WEEK - HOUR))
    assert drift.comments == 8 * 150 and drift.recent_comments == 600
    assert level_of(drift) is Level.ALARM


def test_too_few_comments_say_nothing(past: Past, look: Look) -> None:
    past.came(1200, START, WEEK)
    past.came(400, START + WEEK, WEEK, score=low)
    drift = found(look(START + 2 * WEEK))
    assert drift.shifts == {} and drift.recent_comments == 400
    # New words need fewer texts.
    assert drift.words_level == Level.NONE


def test_new_words_are_told(past: Past, look: Look) -> None:
    past.came(1200, START, WEEK)
    past.came(800, START + WEEK, WEEK, text=lambda chance: f"coin{chance.random()} brings you riches today")
    drift = found(look(START + 2 * WEEK))
    assert drift.words["share"] == 0.0 and drift.recent_words["share"] > 0.9
    assert drift.words_level == Level.ALARM
    assert all(one.level is Level.NONE for one in shifts_of(drift).values())
    assert "% of the words are new" in told_of(drift)


def test_a_campaign_counts_as_one_text(past: Past, look: Look) -> None:
    past.came(1200, START, WEEK)
    past.came(700, START + WEEK, WEEK)
    past.came(700, START + WEEK, WEEK, score=lambda _: 1.0, text=lambda _: "one and the same")
    drift = found(look(START + 2 * WEEK - HOUR))
    assert drift.recent_comments == 700 + 1
    assert level_of(drift) is Level.NONE


def test_scores_made_later_for_a_proof_are_left_out(past: Past, look: Look) -> None:
    past.came(1200, START, WEEK, score=low, scored_after=timedelta(days=1))
    assert look(START + WEEK) is None


def test_scores_of_another_version_are_left_out(past: Past, look: Look) -> None:
    past.came(1200, START, WEEK, version="fake-0")
    assert look(START + WEEK) is None


def test_a_model_begins_with_its_own_first_week(
    past: Past, look: Look, scorer: FakeScorer, database: Database
) -> None:
    past.came(1200, START, WEEK)
    scorer.registry.promote("fake-2")
    assert look(START + WEEK) is None


def test_two_sweepers_look_once_an_hour_together(past: Past, look: Look, process: Process) -> None:
    past.came(2000, START, 2 * WEEK)
    drift = found(look(START + 2 * WEEK))
    turns.next = 0.0
    watch_drift(process, drift.looked_at + HOUR / 2)
    watch_drift(process, drift.looked_at + 2 * HOUR)
    with process.database.read() as session:
        assert found(read_drift(session, "fake-1")).looked_at == drift.looked_at


def test_a_text_that_cannot_be_read_stops_nothing(
    past: Past, look: Look, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(body: str) -> list[str]:
        raise ValueError(body)

    past.came(2000, START, 2 * WEEK)
    monkeypatch.setattr(drifting, "words_of", fail)
    drift = found(look(START + 2 * WEEK))
    assert drift.words_level is None and level_of(drift) is Level.NONE
    assert not any("word" in line.replace("words", "") for line in caplog.messages)


def test_of_a_busy_week_comments_of_every_hour_are_read(past: Past, database: Database) -> None:
    past.came(200, START + WEEK / 2, timedelta(minutes=10))
    past.came(100, START, WEEK)
    with database.read() as session:
        read = sample(session, "fake-1", START, START + WEEK)
    assert len(read) == 100 - 1 + 30
    assert list(read.submission_ids) == sorted(read.submission_ids)


def test_what_a_worker_scored_is_read(
    api: Api, alma: NewSite, drain: Callable[[], int], database: Database
) -> None:
    api.hand_in(alma, "score:spam=0.25 and more")
    drain()
    now = datetime.now(UTC)
    with database.read() as session:
        read = sample(session, "fake-1", now - HOUR, now + HOUR)
    assert read.scores["spam"] == [0.25]
