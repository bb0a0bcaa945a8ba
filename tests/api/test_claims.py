"""POST /api/v1/queue/claims, PUT and DELETE /api/v1/queue/{id}/claim"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from moderation.database import Database
from moderation.models import QueueItem
from moderation.services.access import NewModerator, NewSite
from tests.conftest import Api

PATH = "/api/v1/queue/claims"
Drain = Callable[[], int]


@pytest.fixture
def held(api: Api, alma: NewSite, drain: Drain) -> list[str]:
    """Four held comments, in the order they came."""
    ids = [api.hand_in(alma, f"score:spam=0.6{n}")["id"] for n in range(3)]
    ids.append(api.hand_in(alma, "score:insult=0.8")["id"])
    drain()
    return ids


def claim(api: Api, who: NewModerator, **request: Any) -> list[dict[str, Any]]:
    answer = api.call("POST", PATH, who.key, json=request)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.get_json()["items"]
    return items


def put_claim(api: Api, who: NewModerator, item: dict[str, Any], **request: Any) -> TestResponse:
    return api.call("PUT", f"/api/v1/queue/{item['id']}/claim", who.key, json=request)


def give_back(api: Api, who: NewModerator, item: dict[str, Any]) -> TestResponse:
    return api.call("DELETE", f"/api/v1/queue/{item['id']}/claim", who.key)


def end_claims(database: Database) -> None:
    """Let the time of every claim pass."""
    with database.write() as session:
        session.execute(update(QueueItem).values(claimed_until=datetime.now(UTC) - timedelta(seconds=1)))


def seconds_left(claim: dict[str, Any]) -> float:
    return (datetime.fromisoformat(claim["until"]) - datetime.now(UTC)).total_seconds()


def test_it_claims_the_most_urgent_for_the_caller(api: Api, bruno: NewModerator, held: list[str]) -> None:
    items = claim(api, bruno, count=2)
    assert [item["comment"]["id"] for item in items] == held[:2]
    assert {item["claim"]["moderator"] for item in items} == {"Bruno"}
    assert {item["claim"]["moderator_id"] for item in items} == {bruno.moderator_id}
    assert 290 < seconds_left(items[0]["claim"]) <= 300


def test_without_a_body_it_claims_one(api: Api, bruno: NewModerator, held: list[str]) -> None:
    assert len(api.call("POST", PATH, bruno.key).get_json()["items"]) == 1


def test_nothing_is_claimed_twice(
    api: Api, bruno: NewModerator, carla: NewModerator, held: list[str]
) -> None:
    first, second, third = claim(api, bruno, count=3), claim(api, carla, count=3), claim(api, bruno)
    assert [item["comment"]["id"] for item in first + second] == held
    assert third == []


def test_a_claim_changes_no_version(api: Api, bruno: NewModerator, held: list[str]) -> None:
    seen = api.queue(bruno)[0]
    (item,) = claim(api, bruno)
    assert item["version"] == seen["version"]


def test_filters_choose_what_is_claimed(api: Api, bruno: NewModerator, held: list[str]) -> None:
    items = claim(api, bruno, count=20, filters={"category": "insult"})
    assert [item["comment"]["id"] for item in items] == held[3:]
    assert claim(api, bruno, filters={"thread": "nobody-was-here"}) == []


@pytest.mark.parametrize(
    ("request_body", "pointer"),
    [
        ({"count": 0}, "/count"),
        ({"count": 21}, "/count"),
        ({"count": "two"}, "/count"),
        ({"count": 1.5}, "/count"),
        ({"seconds": 0}, "/seconds"),
        ({"seconds": 1801}, "/seconds"),
        ({"filters": {"category": "kindness"}}, "/filters/category"),
        ({"filters": {"sort": "due"}}, "/filters/sort"),
        ({"filters": []}, "/filters"),
        ({"who": "me"}, "/who"),
    ],
)
def test_a_wrong_member_is_named_and_nothing_is_claimed(
    api: Api, bruno: NewModerator, held: list[str], request_body: dict[str, Any], pointer: str
) -> None:
    answer = api.call("POST", PATH, bruno.key, json=request_body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == [pointer]
    assert api.queue(bruno, "?claimed=true") == []


def test_twenty_are_the_most_at_once(api: Api, alma: NewSite, bruno: NewModerator, drain: Drain) -> None:
    for n in range(21):
        api.hand_in(alma, f"score:spam=0.7 {n}")
    drain()
    assert len(claim(api, bruno, count=20)) == 20


def test_a_claim_that_ended_is_free_and_no_longer_shown(
    api: Api, bruno: NewModerator, carla: NewModerator, held: list[str], database: Database
) -> None:
    (item,) = claim(api, bruno)
    end_claims(database)
    assert [shown["claim"] for shown in api.queue(bruno)] == [None] * 4
    assert claim(api, carla)[0]["id"] == item["id"]


def test_a_claim_can_be_renewed(api: Api, bruno: NewModerator, held: list[str]) -> None:
    (item,) = claim(api, bruno, seconds=5)
    answer = put_claim(api, bruno, item, seconds=600)
    assert answer.status_code == 200
    assert 590 < seconds_left(answer.get_json()) <= 600


def test_one_item_can_be_claimed_by_its_id_and_without_a_body(
    api: Api, bruno: NewModerator, held: list[str]
) -> None:
    item = api.queue(bruno)[2]
    answer = api.call("PUT", f"/api/v1/queue/{item['id']}/claim", bruno.key)
    assert (answer.status_code, answer.get_json()["moderator"]) == (200, "Bruno")
    (claimed,) = api.queue(bruno, "?claimed=true")
    assert claimed["id"] == item["id"]


def test_anothers_live_claim_is_told_with_holder_and_end(
    api: Api, bruno: NewModerator, carla: NewModerator, held: list[str], database: Database
) -> None:
    (item,) = claim(api, bruno)
    for refused in (put_claim(api, carla, item), api.decide(carla, item, "approve")):
        problem = refused.get_json()
        assert (refused.status_code, problem["type"]) == (409, "urn:greenroom:problem:claimed")
        assert (problem["claimed_by"], problem["until"]) == ("Bruno", item["claim"]["until"])
    assert api.queue(carla)[0]["claim"]["moderator"] == "Bruno"
    end_claims(database)
    assert put_claim(api, carla, item).status_code == 200
    assert api.decide(bruno, item, "approve").status_code == 409


def test_a_released_item_is_free_again(
    api: Api, bruno: NewModerator, carla: NewModerator, held: list[str]
) -> None:
    (item,) = claim(api, bruno)
    assert give_back(api, bruno, item).status_code == 204
    assert give_back(api, bruno, item).status_code == 204
    assert claim(api, carla)[0]["id"] == item["id"]


def test_nobody_releases_anothers_claim(
    api: Api, bruno: NewModerator, carla: NewModerator, held: list[str]
) -> None:
    (item,) = claim(api, bruno)
    assert give_back(api, carla, item).status_code == 204
    assert api.queue(bruno)[0]["claim"]["moderator"] == "Bruno"


def test_a_decision_ends_the_claim(api: Api, bruno: NewModerator, held: list[str]) -> None:
    (item,) = claim(api, bruno)
    decided = api.decide(bruno, item, "approve").get_json()["item"]
    assert (decided["claim"], decided["version"]) == (None, item["version"] + 1)
    late = put_claim(api, bruno, item)
    assert (late.status_code, late.get_json()["current_version"]) == (412, item["version"] + 1)


def test_an_unknown_item_is_404(api: Api, bruno: NewModerator) -> None:
    assert put_claim(api, bruno, {"id": "item_nothing"}).status_code == 404
    assert give_back(api, bruno, {"id": "item_nothing"}).status_code == 404


def move(database: Database, minutes: float) -> None:
    """Let time pass for every claim."""
    with database.write() as session:
        for item in session.scalars(select(QueueItem).where(QueueItem.claimed_until.is_not(None))):
            item.claimed_until -= timedelta(minutes=minutes)  # type: ignore[operator]
            item.claimed_since -= timedelta(minutes=minutes)  # type: ignore[operator]


def test_a_claim_is_not_renewed_for_ever(
    api: Api, database: Database, bruno: NewModerator, held: list[str]
) -> None:
    (item,) = claim(api, bruno, seconds=1800)
    move(database, 28)
    renewed = put_claim(api, bruno, item, seconds=300).get_json()
    assert 100 < seconds_left(renewed) <= 120


def test_a_claim_that_ended_begins_anew(
    api: Api, database: Database, bruno: NewModerator, held: list[str]
) -> None:
    (item,) = claim(api, bruno)
    move(database, 40)
    assert seconds_left(put_claim(api, bruno, item, seconds=1800).get_json()) > 1790


@pytest.mark.parametrize("reason", ["conflict", "distress"])
def test_what_was_given_back_for_good_comes_to_others_only(
    api: Api, bruno: NewModerator, carla: NewModerator, held: list[str], reason: str
) -> None:
    (item,) = claim(api, bruno)
    path = f"/api/v1/queue/{item['id']}/claim?reason={reason}"
    assert api.call("DELETE", path, bruno.key).status_code == 204
    mine = [one["id"] for one in claim(api, bruno, count=10)]
    assert item["id"] not in mine and len(mine) == 3
    assert [one["id"] for one in claim(api, carla, count=10)] == [item["id"]]


def test_what_was_skipped_comes_again(api: Api, bruno: NewModerator, held: list[str]) -> None:
    (item,) = claim(api, bruno)
    api.call("DELETE", f"/api/v1/queue/{item['id']}/claim?reason=skip", bruno.key)
    assert claim(api, bruno)[0]["id"] == item["id"]


def test_an_unknown_reason_to_give_back_is_refused(api: Api, bruno: NewModerator, held: list[str]) -> None:
    (item,) = claim(api, bruno)
    assert api.call("DELETE", f"/api/v1/queue/{item['id']}/claim?reason=x", bruno.key).status_code == 422


def test_all_ones_claims_end_at_once_and_nobody_elses(
    api: Api, bruno: NewModerator, carla: NewModerator, held: list[str]
) -> None:
    claim(api, bruno, count=3)
    claim(api, carla)
    assert api.call("DELETE", PATH, bruno.key).get_json() == {"released": 3}
    assert [item["claim"]["moderator"] for item in api.queue(bruno) if item["claim"]] == ["Carla"]


def test_one_sees_what_one_holds(api: Api, bruno: NewModerator, carla: NewModerator, held: list[str]) -> None:
    claim(api, carla)
    mine = claim(api, bruno, count=2)
    assert [item["id"] for item in api.queue(bruno, "?mine=true")] == [item["id"] for item in mine]
