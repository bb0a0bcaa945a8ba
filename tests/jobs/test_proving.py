"""The proving job: promises follow from labels, for the model in use"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from moderation.database import Database
from moderation.domain.sources import Source, Teacher
from moderation.models import SiteProof
from moderation.services.access import NewModerator, NewSite
from moderation.services.labels import label_comment
from moderation.services.policies import change_policy
from moderation.services.proofs import promising_sites, sites_to_prove
from tests.conftest import Api
from tests.fakes import FakeScorer, FakeWakeUps
from workers.process import Process
from workers.proving import prove_process
from workers.sweeper import wake_proving

Drain = Callable[[], int]
# Eight of ten take 17 labels, none of them wrong.
PROMISE = {"promises": {"spam": {"publish": 0.8}}}


@pytest.fixture
def promising(database: Database, alma: NewSite) -> NewSite:
    """A site that promises something."""
    change(database, alma, PROMISE)
    return alma


def change(database: Database, site: NewSite, settings: dict[str, Any]) -> None:
    with database.write() as session:
        change_policy(session, site.site_id, settings, datetime.now(UTC))


def decide_many(api: Api, site: NewSite, who: NewModerator, drain: Drain, count: int, score: float) -> None:
    for n in range(count):
        api.hand_in(site, f"score:spam={score + n / 10_000:.4f} words of their own {n} {score}")
    drain()
    for item in api.queue(who, "?limit=100"):
        api.decide(who, item, "approve" if score < 0.5 else "reject")


def promises(api: Api, site: NewSite, who: NewModerator) -> list[dict[str, Any]]:
    answer = api.call("GET", f"/api/v1/sites/{site.site_id}/promises", who.key)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.get_json()["items"]
    return found


def test_until_labels_prove_it_everything_is_held_and_then_it_is_not(
    api: Api, process: Process, promising: NewSite, bruno: NewModerator, carla: NewModerator, drain: Drain
) -> None:
    assert promises(api, promising, carla)[0]["proof"] is None
    decide_many(api, promising, bruno, drain, 17, 0.1)
    assert prove_process(process) == 1
    (promise,) = promises(api, promising, carla)
    assert (promise["proof"]["seen"], promise["proof"]["wrong"], promise["proof"]["missing"]) == (17, 0, 0)
    low, high = (api.hand_in(promising, f"score:spam={s} and more")["id"] for s in (0.05, 0.2))
    drain()
    assert api.fate(promising, low)[0] == "approved"
    assert api.fate(promising, high)[0] == "held"


def test_too_few_labels_say_how_many_are_missing(
    api: Api, process: Process, promising: NewSite, bruno: NewModerator, carla: NewModerator, drain: Drain
) -> None:
    decide_many(api, promising, bruno, drain, 10, 0.1)
    prove_process(process)
    assert promises(api, promising, carla)[0]["proof"]["missing"] == 7
    api.hand_in(promising, "score:spam=0.01 another")
    drain()
    (item,) = api.queue(bruno)
    assert item["reason"] == "unproven"
    assert "at least 7 more labels are needed" in " ".join(item["why"])


def test_one_text_counts_once_however_often_it_came(
    api: Api, process: Process, promising: NewSite, bruno: NewModerator, carla: NewModerator, drain: Drain
) -> None:
    for _ in range(20):
        api.hand_in(promising, "score:spam=0.1 the same")
    drain()
    for item in api.queue(bruno):
        api.decide(bruno, item, "approve")
    prove_process(process)
    assert promises(api, promising, carla)[0]["proof"]["seen"] == 1


def test_another_model_has_to_prove_it_anew(
    api: Api,
    process: Process,
    scorer: FakeScorer,
    promising: NewSite,
    bruno: NewModerator,
    carla: NewModerator,
    drain: Drain,
) -> None:
    decide_many(api, promising, bruno, drain, 20, 0.1)
    prove_process(process)
    scorer.version = "fake-2"
    comment = api.hand_in(promising, "score:spam=0.01 first of the new model")["id"]
    drain()
    assert api.fate(promising, comment) == ("held", "unproven")
    assert prove_process(process) == 1
    assert promises(api, promising, carla)[0]["proof"]["seen"] == 20
    comment = api.hand_in(promising, "score:spam=0.01 second of the new model")["id"]
    drain()
    assert api.fate(promising, comment)[0] == "approved"


def test_another_promise_has_to_be_proven_anew(
    api: Api, database: Database, process: Process, promising: NewSite, bruno: NewModerator, drain: Drain
) -> None:
    decide_many(api, promising, bruno, drain, 20, 0.1)
    prove_process(process)
    change(database, promising, {"promises": {"spam": {"publish": 0.95}}})
    comment = api.hand_in(promising, "score:spam=0.01 one more")["id"]
    drain()
    assert api.fate(promising, comment) == ("held", "unproven")


def test_new_labels_are_waited_for_a_minute(
    api: Api, database: Database, process: Process, promising: NewSite, bruno: NewModerator, drain: Drain
) -> None:
    def due(later: timedelta) -> list[str]:
        with database.read() as session:
            sites = promising_sites(session)
            return sites_to_prove(session, sites, "fake-1", datetime.now(UTC) + later)

    decide_many(api, promising, bruno, drain, 3, 0.1)
    prove_process(process)
    assert due(timedelta(seconds=61)) == []
    decide_many(api, promising, bruno, drain, 2, 0.2)
    assert due(timedelta()) == []
    assert due(timedelta(seconds=61)) == [promising.site_id]


def test_what_a_person_took_back_proves_nothing(
    api: Api,
    database: Database,
    process: Process,
    promising: NewSite,
    bruno: NewModerator,
    carla: NewModerator,
    drain: Drain,
) -> None:
    api.hand_in(promising, "score:spam=0.1 once")
    drain()
    (item,) = api.queue(bruno)
    decided = api.decide(bruno, item, "approve").get_json()["decision"]["id"]
    api.call("POST", f"/api/v1/decisions/{decided}/reversal", bruno.key)
    prove_process(process)
    assert promises(api, promising, carla)[0]["proof"]["seen"] == 0


def test_a_proof_done_twice_is_the_same(
    api: Api, database: Database, process: Process, promising: NewSite, bruno: NewModerator, drain: Drain
) -> None:
    decide_many(api, promising, bruno, drain, 16, 0.1)
    prove_process(process)
    with database.write() as session:
        first = session.scalars(select(SiteProof)).one().categories
        session.execute(
            update(SiteProof).values(
                label_count=0, labels_seen=0, computed_at=datetime(2020, 1, 1, tzinfo=UTC)
            )
        )
    assert prove_process(process) == 1
    with database.read() as session:
        assert session.scalars(select(SiteProof)).one().categories == first


def test_the_sweeper_wakes_somebody_only_where_something_is_promised(
    database: Database, process: Process, wake_ups: FakeWakeUps, scorer: FakeScorer, alma: NewSite
) -> None:
    class Registry:
        def champion(self) -> str:
            return scorer.version

    scorer.registry = Registry()  # type: ignore[attr-defined]
    wake_proving(process, datetime.now(UTC))
    assert wake_ups.proving == 0
    change(database, alma, PROMISE)
    wake_proving(process, datetime.now(UTC))
    assert wake_ups.proving == 1
    prove_process(process)
    wake_proving(process, datetime.now(UTC))
    assert wake_ups.proving == 1


def test_what_a_promise_would_do_is_shown_before_it_is_made(
    api: Api, process: Process, alma: NewSite, bruno: NewModerator, carla: NewModerator, drain: Drain
) -> None:
    for score in (0.1, 0.2):
        api.hand_in(alma, f"score:spam={score}")
    drain()
    path = f"/api/v1/sites/{alma.site_id}/policy/preview"
    found = api.call("POST", path, carla.key, json={"settings": PROMISE}).get_json()
    assert found["changes"] == {"approved to held": 2}


@pytest.mark.parametrize(
    "promise",
    [
        {"spam": {"publish": 1.0}},
        {"spam": {"publish": 0.2}},
        {"spam": {"publish": True}},
        {"spam": {"hold": 0.9}},
        {"ham": {"publish": 0.9}},
        {"spam": 0.9},
        [],
    ],
)
def test_a_promise_that_cannot_be_made_is_refused(
    api: Api, alma: NewSite, carla: NewModerator, promise: Any
) -> None:
    path = f"/api/v1/sites/{alma.site_id}/policy/preview"
    answer = api.call("POST", path, carla.key, json={"settings": {"promises": promise}})
    assert answer.status_code == 422


def test_a_maintainers_word_outweighs_a_moderators_and_what_was_taken_back_proves_nothing(
    api: Api,
    database: Database,
    process: Process,
    promising: NewSite,
    bruno: NewModerator,
    carla: NewModerator,
    drain: Drain,
) -> None:
    ids = [api.hand_in(promising, f"score:spam=0.1 a text {n}")["id"] for n in range(2)]
    drain()
    for item in api.queue(bruno):
        api.decide(bruno, item, "approve")
    with database.write() as session:
        maintainer = Teacher(Source.MAINTAINER, promising.site_id, carla.moderator_id)
        label_comment(session, ids[0], {"spam": True}, datetime.now(UTC) - timedelta(hours=1), maintainer)
    api.call("DELETE", f"/api/v1/comments/{ids[1]}", promising.secret_key)
    prove_process(process)
    proof = promises(api, promising, carla)[0]["proof"]
    assert (proof["seen"], proof["wrong"]) == (1, 1)
