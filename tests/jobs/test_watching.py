"""The circuit breaker at work: a model whose decisions people take back is rolled back by itself"""

from collections.abc import Callable
from dataclasses import replace
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


def decide_many(api: Api, site: NewSite, drain: Drain, who: NewModerator, action: str) -> None:
    for n in range(20):
        api.hand_in(site, f"{action} words of number {n}")
    drain()
    for item in api.queue(who, "?limit=100"):
        assert api.decide(who, item, action).status_code == 200


def promote(database: Database, version: str) -> None:
    with database.write() as session:
        record(session, "Carla", ACTS["promotion"], version, datetime.now(UTC))


def watch(process: Process) -> None:
    turns.next = 0.0
    watch_champion(process, datetime.now(UTC))


def one_after_the_other(
    api: Api,
    site: NewSite,
    drain: Drain,
    who: NewModerator,
    database: Database,
    scorer: FakeScorer,
    action: str,
) -> None:
    decide_many(api, site, drain, who, "approve")
    promote(database, "fake-2")
    scorer.version = "fake-2"
    decide_many(api, site, drain, who, action)


def test_a_model_that_people_correct_more_is_rolled_back_once(
    api: Api,
    site: NewSite,
    bruno: NewModerator,
    drain: Drain,
    database: Database,
    scorer: FakeScorer,
    registry: Registry,
    process: Process,
) -> None:
    one_after_the_other(api, site, drain, bruno, database, scorer, "reject")
    watch(process)
    watch(process)
    assert registry.names == ["fake-1"]
    with database.read() as session:
        line, *_ = latest_acts(session)
    assert (line.actor, line.act, line.subject) == ("circuit breaker", ACTS["rollback"], "fake-1")
    assert "people corrected 100.0 %" in line.details["reason"]


def test_a_model_that_people_agree_with_stays(
    api: Api,
    site: NewSite,
    bruno: NewModerator,
    drain: Drain,
    database: Database,
    scorer: FakeScorer,
    registry: Registry,
    process: Process,
) -> None:
    one_after_the_other(api, site, drain, bruno, database, scorer, "approve")
    watch(process)
    assert registry.champion() == "fake-2"


def test_what_waits_for_a_proof_is_no_sign_of_a_bad_model(
    api: Api,
    site: NewSite,
    bruno: NewModerator,
    drain: Drain,
    database: Database,
    scorer: FakeScorer,
    registry: Registry,
    process: Process,
) -> None:
    decide_many(api, site, drain, bruno, "approve")
    promote(database, "fake-2")
    scorer.version = "fake-2"
    with database.write() as session:
        promises = {"promises": {"spam": {"publish": 0.9}}}
        change_policy(session, site.site_id, promises, datetime.now(UTC))
    for n in range(20):
        api.hand_in(site, f"held until proven {n}")
    drain()
    watch(process)
    assert registry.champion() == "fake-2"


def test_it_looks_again_only_after_a_while(
    api: Api,
    site: NewSite,
    bruno: NewModerator,
    drain: Drain,
    database: Database,
    scorer: FakeScorer,
    registry: Registry,
    process: Process,
) -> None:
    one_after_the_other(api, site, drain, bruno, database, scorer, "reject")
    turns.next = float("inf")
    watch_champion(process, datetime.now(UTC))
    assert registry.champion() == "fake-2"
    watch(process)
    assert registry.champion() == "fake-1"


def test_it_can_be_switched_off(
    api: Api,
    site: NewSite,
    bruno: NewModerator,
    drain: Drain,
    database: Database,
    scorer: FakeScorer,
    registry: Registry,
    process: Process,
) -> None:
    one_after_the_other(api, site, drain, bruno, database, scorer, "reject")
    watch(replace(process, settings=replace(process.settings, circuit_breaker=False)))
    assert registry.champion() == "fake-2"


def test_a_model_nobody_promoted_lately_is_not_looked_at(process: Process) -> None:
    # The fake model has no registry: asking it would fail.
    watch(process)
