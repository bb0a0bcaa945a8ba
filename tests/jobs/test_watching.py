"""The circuit breaker at work: a model whose decisions people take back is rolled back by itself"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from classifier.errors import ChampionChanged
from moderation.database import Database
from moderation.domain import circuit_breaker
from moderation.services.access import NewModerator, NewSite
from moderation.services.audit import ACTS, latest_acts, record
from moderation.services.policies import change_policy
from tests.conftest import Api
from tests.fakes import FakeScorer
from workers.process import Process
from workers.watching import turns, watch_champion

Drain = Callable[[], int]


class Registry:
    """Two versions, the newer in force."""

    def __init__(self) -> None:
        self.names = ["fake-1", "fake-2"]

    def champion(self) -> str:
        return self.names[-1]

    def previous(self) -> str | None:
        return self.names[-2] if len(self.names) > 1 else None

    def rollback(self, *, expected: str) -> str:
        if expected != self.names[-1]:
            raise ChampionChanged(self.names[-1])
        self.names.pop()
        return self.names[-1]


@pytest.fixture
def registry(scorer: FakeScorer, monkeypatch: pytest.MonkeyPatch) -> Registry:
    monkeypatch.setattr(circuit_breaker, "FEWEST", 10)
    made = Registry()
    scorer.registry = made  # type: ignore[attr-defined]
    return made


@pytest.fixture
def site(alma: NewSite, database: Database) -> NewSite:
    with database.write() as session:
        change_policy(session, alma.site_id, {"spot_check_share": 1.0}, datetime.now(UTC))
    return alma


def watch(process: Process) -> None:
    turns.next = 0.0
    watch_champion(process, datetime.now(UTC))


@dataclass
class Desk:
    """A site with two models one after the other, and somebody who looks at every decision."""

    api: Api
    site: NewSite
    who: NewModerator
    drain: Drain
    database: Database
    scorer: FakeScorer
    registry: Registry

    def hand_in(self, count: int, words: str) -> None:
        for n in range(count):
            self.api.hand_in(self.site, f"{words} {n}")
        self.drain()

    def decide(self, action: str) -> None:
        self.hand_in(20, f"{action} words of number")
        for item in self.api.queue(self.who, "?limit=100"):
            assert self.api.decide(self.who, item, action).status_code == 200

    def promote_the_second(self) -> None:
        with self.database.write() as session:
            record(session, "Carla", ACTS["promotion"], "fake-2", datetime.now(UTC))
        self.scorer.version = "fake-2"


@pytest.fixture
def desk(
    api: Api,
    site: NewSite,
    bruno: NewModerator,
    drain: Drain,
    database: Database,
    scorer: FakeScorer,
    registry: Registry,
) -> Desk:
    """The first model's decisions were all right, and the second is in force."""
    made = Desk(api, site, bruno, drain, database, scorer, registry)
    made.decide("approve")
    made.promote_the_second()
    return made


def test_a_model_that_people_correct_more_is_rolled_back_once(desk: Desk, process: Process) -> None:
    desk.decide("reject")
    watch(process)
    watch(process)
    assert desk.registry.names == ["fake-1"]
    with desk.database.read() as session:
        line, *_ = latest_acts(session)
    assert (line.actor, line.act, line.subject) == ("circuit breaker", ACTS["rollback"], "fake-1")
    assert "people corrected 100.0 %" in line.details["reason"]


def test_a_model_that_people_agree_with_stays(desk: Desk, process: Process) -> None:
    desk.decide("approve")
    watch(process)
    assert desk.registry.champion() == "fake-2"


def test_a_model_that_approves_much_less_is_rolled_back(desk: Desk, process: Process) -> None:
    desk.hand_in(20, "score:spam=0.7 words of number")
    watch(process)
    assert desk.registry.champion() == "fake-1"


def test_what_waits_for_a_proof_is_no_sign_of_a_bad_model(desk: Desk, process: Process) -> None:
    with desk.database.write() as session:
        promises = {"promises": {"spam": {"publish": 0.9}}}
        change_policy(session, desk.site.site_id, promises, datetime.now(UTC))
    desk.hand_in(20, "held until proven")
    watch(process)
    assert desk.registry.champion() == "fake-2"


def test_it_looks_again_only_after_a_while(desk: Desk, process: Process) -> None:
    desk.decide("reject")
    turns.next = float("inf")
    watch_champion(process, datetime.now(UTC))
    assert desk.registry.champion() == "fake-2"
    watch(process)
    assert desk.registry.champion() == "fake-1"


def test_it_can_be_switched_off(desk: Desk, process: Process) -> None:
    desk.decide("reject")
    watch(replace(process, settings=replace(process.settings, circuit_breaker=False)))
    assert desk.registry.champion() == "fake-2"


def test_a_model_nobody_promoted_lately_is_not_looked_at(process: Process) -> None:
    # The fake model has no registry: asking it would fail.
    watch(process)
