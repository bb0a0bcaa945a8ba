"""POST /api/v1/queue/batches and its reversal"""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from moderation.database import Database
from moderation.models import Label
from moderation.services.access import NewModerator, NewSite
from tests.conftest import Api

PATH = "/api/v1/queue/batches"
Drain = Callable[[], int]
Items = list[dict[str, Any]]


@pytest.fixture
def held(api: Api, alma: NewSite, bruno: NewModerator, drain: Drain) -> Items:
    """The items of four held comments."""
    for n in range(4):
        api.hand_in(alma, f"score:spam=0.7 {n}")
    drain()
    return api.queue(bruno)


def seen(items: Items) -> Items:
    return [{"id": item["id"], "version": item["version"]} for item in items]


def decide(api: Api, who: NewModerator, items: Items, **more: Any) -> dict[str, Any]:
    data = {"action": "reject", "reason": "spam", "items": items} | more
    answer = api.call("POST", PATH, who.key, json=data)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def results(answer: dict[str, Any]) -> list[str]:
    return [one["result"] for one in answer["results"]]


def statuses(api: Api, site: NewSite, items: Items) -> list[str]:
    return [api.fate(site, item["comment"]["id"])[0] for item in items]


def test_it_decides_all_under_one_id(api: Api, alma: NewSite, bruno: NewModerator, held: Items) -> None:
    answer = decide(api, bruno, seen(held), note="one campaign")
    assert results(answer) == ["applied"] * 4
    assert [one["id"] for one in answer["results"]] == [item["id"] for item in held]
    decisions = [one["decision"] for one in answer["results"]]
    assert {decision["batch_id"] for decision in decisions} == {answer["batch_id"]}
    assert {decision["note"] for decision in decisions} == {"one campaign"}
    assert statuses(api, alma, held) == ["rejected"] * 4
    assert api.queue(bruno) == []


def test_each_item_succeeds_or_fails_by_itself_in_the_order_asked(
    api: Api, alma: NewSite, bruno: NewModerator, carla: NewModerator, held: Items
) -> None:
    api.decide(carla, held[0], "approve")
    api.call("PUT", f"/api/v1/queue/{held[1]['id']}/claim", carla.key)
    asked = [
        *seen(held[3:]),
        {"id": "item_nothing", "version": 1},
        *seen(held[:2]),
        {"id": held[2]["id"], "version": 9},
    ]
    answer = decide(api, bruno, asked)
    assert [one["id"] for one in answer["results"]] == [one["id"] for one in asked]
    assert results(answer) == ["applied", "not-found", "stale", "claimed", "stale"]
    assert [one["decision"] is None for one in answer["results"]] == [False, True, True, True, True]
    assert "Carla" in answer["results"][2]["detail"]
    assert statuses(api, alma, held) == ["approved", "held", "held", "rejected"]


def test_an_item_named_twice_is_decided_once(api: Api, bruno: NewModerator, held: Items) -> None:
    assert results(decide(api, bruno, seen(held[:1]) * 2)) == ["applied", "stale"]


def test_one_reversal_undoes_it(
    api: Api, alma: NewSite, bruno: NewModerator, held: Items, database: Database
) -> None:
    batch_id = decide(api, bruno, seen(held))["batch_id"]
    answer = api.call("POST", f"{PATH}/{batch_id}/reversal", bruno.key)
    assert (answer.status_code, answer.get_json()["batch_id"]) == (200, batch_id)
    assert results(answer.get_json()) == ["applied"] * 4
    assert statuses(api, alma, held) == ["held"] * 4
    assert {item["id"] for item in api.queue(bruno)} == {item["id"] for item in held}
    with database.read() as session:
        assert None not in session.scalars(select(Label.retracted_at)).all()


def test_a_reversal_leaves_alone_what_something_newer_happened_to(
    api: Api, alma: NewSite, bruno: NewModerator, held: Items, database: Database
) -> None:
    batch_id = decide(api, bruno, seen(held))["batch_id"]
    api.call("DELETE", f"/api/v1/comments/{held[0]['comment']['id']}", alma.secret_key)
    answer = api.call("POST", f"{PATH}/{batch_id}/reversal", bruno.key).get_json()
    by_item = {one["id"]: one["result"] for one in answer["results"]}
    assert by_item == {item["id"]: "applied" for item in held[1:]} | {held[0]["id"]: "not-reversible"}
    assert statuses(api, alma, held) == ["removed", "held", "held", "held"]
    with database.read() as session:
        kept = session.scalars(select(Label.retracted_at)).all().count(None)
    assert kept == 1
    again = api.call("POST", f"{PATH}/{batch_id}/reversal", bruno.key).get_json()
    assert results(again) == ["not-reversible"] * 4


def test_an_unknown_batch_is_404(api: Api, bruno: NewModerator) -> None:
    assert api.call("POST", f"{PATH}/batch_nothing/reversal", bruno.key).status_code == 404


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"items": []}, "/items"),
        ({"items": [{"id": "item_1", "version": 1}] * 501}, "/items"),
        ({"items": [{"id": "item_1"}]}, "/items/0/version"),
        ({"items": [{"version": 1}]}, "/items/0/id"),
        ({"items": [{"id": "item_1", "version": "1.5"}]}, "/items/0/version"),
        ({"items": None}, "/items"),
        ({"reason": None}, "/reason"),
        ({"action": "hold"}, "/action"),
        ({"labels": {"kindness": True}}, "/labels/kindness/key"),
    ],
)
def test_a_wrong_member_is_named_and_nothing_is_decided(
    api: Api, bruno: NewModerator, held: Items, change: dict[str, Any], pointer: str
) -> None:
    data = {"action": "reject", "reason": "spam", "items": seen(held)} | change
    answer = api.call("POST", PATH, bruno.key, json=data)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == [pointer]
    assert len(api.queue(bruno)) == 4


def test_a_rejection_needs_a_reason_here_too(api: Api, bruno: NewModerator, held: Items) -> None:
    answer = api.call("POST", PATH, bruno.key, json={"action": "reject", "items": seen(held)})
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, "/reason")
