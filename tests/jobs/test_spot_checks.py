"""Spot checks: some of what is decided without a person is looked at by one"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from moderation.database import Database
from moderation.domain.spot_checks import is_drawn
from moderation.models import QueueItem
from moderation.services.access import NewModerator, NewSite
from moderation.services.labels import labelled_comments
from moderation.services.policies import change_policy
from moderation.services.spot_checks import spot_check_figures
from tests.conftest import Api
from workers.process import Process
from workers.scoring import drain_process

Drain = Callable[[], int]


@pytest.fixture
def checked(database: Database, alma: NewSite) -> NewSite:
    """A site whose every automatic decision is looked at."""
    with database.write() as session:
        change_policy(session, alma.site_id, {"spot_check_share": 1.0}, datetime.now(UTC))
    return alma


def one_item(api: Api, site: NewSite, who: NewModerator, drain: Drain, body: str) -> tuple[str, Any]:
    comment_id = api.hand_in(site, body)["id"]
    drain()
    (item,) = api.queue(who)
    return comment_id, item


def test_about_the_share_is_drawn_and_a_submission_always_alike() -> None:
    ids = [f"sub_{n}" for n in range(20_000)]
    drawn = {one for one in ids if is_drawn(one, 0.01)}
    assert 140 < len(drawn) < 270
    assert drawn == {one for one in ids if is_drawn(one, 0.01)}
    assert drawn < {one for one in ids if is_drawn(one, 0.05)}


@pytest.mark.parametrize(("body", "status"), [("kind", "approved"), ("score:spam=0.99", "rejected")])
def test_what_is_drawn_stays_decided_and_is_in_the_queue(
    api: Api, checked: NewSite, bruno: NewModerator, drain: Drain, body: str, status: str
) -> None:
    comment_id, item = one_item(api, checked, bruno, drain, body)
    assert api.fate(checked, comment_id)[0] == status
    assert item["reason"] == "spot_check"
    assert "drawn by lot" in item["why"][0]


@pytest.mark.parametrize(
    ("body", "action", "status"),
    [
        ("kind", "approve", "approved"),
        ("kind", "reject", "rejected"),
        ("score:spam=0.99", "reject", "rejected"),
        ("score:spam=0.99", "approve", "approved"),
    ],
)
def test_a_person_may_leave_it_or_decide_otherwise_and_take_that_back(
    api: Api, checked: NewSite, bruno: NewModerator, drain: Drain, body: str, action: str, status: str
) -> None:
    comment_id, item = one_item(api, checked, bruno, drain, body)
    before = api.fate(checked, comment_id)[0]
    decided = api.decide(bruno, item, action)
    assert decided.status_code == 200, decided.text
    assert api.fate(checked, comment_id)[0] == status
    assert api.queue(bruno) == []
    undone = api.call("POST", f"/api/v1/decisions/{decided.get_json()['decision']['id']}/reversal", bruno.key)
    assert undone.status_code == 200, undone.text
    assert api.fate(checked, comment_id)[0] == before
    assert [one["id"] for one in api.queue(bruno)] == [item["id"]]


def test_what_is_held_or_came_to_a_closed_thread_is_not_drawn(
    api: Api, database: Database, checked: NewSite, bruno: NewModerator, drain: Drain
) -> None:
    api.hand_in(checked, "score:spam=0.7")
    drain()
    api.call("PUT", "/api/v1/threads/first-post", checked.secret_key, json={"closed": True})
    api.hand_in(checked, "too late")
    drain()
    assert [item["reason"] for item in api.queue(bruno)] == ["spam"]


def test_without_a_word_of_the_site_the_installations_share_counts(
    api: Api, process: Process, alma: NewSite, bruno: NewModerator
) -> None:
    api.hand_in(alma)
    drain_process(replace(process, settings=replace(process.settings, spot_check_share=1.0)))
    assert [item["reason"] for item in api.queue(bruno)] == ["spot_check"]


def test_statistics_tell_how_many_were_wrong_and_how_sure_that_is(
    api: Api, checked: NewSite, bruno: NewModerator, drain: Drain
) -> None:
    for n in range(4):
        api.hand_in(checked, f"kind words number {n}")
    drain()
    for n, item in enumerate(api.queue(bruno)):
        api.decide(bruno, item, "reject" if n == 0 else "approve")
    found = api.call("GET", "/api/v1/stats", bruno.key).get_json()["window"]["spot_checks"]
    assert found["rejected"] == {"looked_at": 0, "wrong": 0, "per_1000": None, "low": None, "high": None}
    assert (found["published"]["looked_at"], found["published"]["wrong"]) == (4, 1)
    assert found["published"]["low"] < found["published"]["per_1000"] == 250 < found["published"]["high"]


def test_one_drawn_with_a_small_chance_stands_for_many(
    api: Api, database: Database, checked: NewSite, bruno: NewModerator, drain: Drain
) -> None:
    _, item = one_item(api, checked, bruno, drain, "fine")
    api.decide(bruno, item, "approve")
    with database.write() as session:
        session.get_one(QueueItem, item["id"]).sampling_probability = 0.1
    _, wrong = one_item(api, checked, bruno, drain, "not fine")
    api.decide(bruno, wrong, "reject")
    with database.read() as session:
        figures = spot_check_figures(session, datetime.now(UTC) - timedelta(hours=1), checked.site_id)
    # One of eleven: the first stands for ten.
    assert figures["published"].per_1000 == pytest.approx(1000 / 11, abs=0.01)


@pytest.mark.parametrize(("chance", "weight"), [(1.0, 1.0), (0.25, 4.0), (0.01, 10.0)])
def test_one_drawn_by_lot_teaches_for_all_it_was_drawn_from_within_reason(
    api: Api,
    database: Database,
    checked: NewSite,
    bruno: NewModerator,
    drain: Drain,
    chance: float,
    weight: float,
) -> None:
    _, item = one_item(api, checked, bruno, drain, "fine")
    with database.write() as session:
        session.get_one(QueueItem, item["id"]).sampling_probability = chance
    api.decide(bruno, item, "approve")
    with database.read() as session:
        (labelled,) = labelled_comments(session)
    assert labelled.weight == weight


def test_what_was_taken_back_is_not_counted(
    api: Api, database: Database, checked: NewSite, bruno: NewModerator, drain: Drain
) -> None:
    _, item = one_item(api, checked, bruno, drain, "kind")
    decided = api.decide(bruno, item, "reject").get_json()["decision"]["id"]
    api.call("POST", f"/api/v1/decisions/{decided}/reversal", bruno.key)
    with database.read() as session:
        figures = spot_check_figures(session, datetime.now(UTC) - timedelta(hours=1))
    assert figures["published"].looked_at == 0
