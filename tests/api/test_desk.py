"""Notes, escalation and the events of an item: POST …/notes, POST …/escalation, GET …/events"""

from collections.abc import Callable
from typing import Any

import pytest

from moderation.services.access import NewModerator, NewSite
from tests.conftest import Api

Drain = Callable[[], int]
Item = dict[str, Any]


@pytest.fixture
def item(api: Api, alma: NewSite, bruno: NewModerator, drain: Drain) -> Item:
    """A held comment's item."""
    api.hand_in(alma, "score:spam=0.7")
    drain()
    return api.queue(bruno)[0]


def say(api: Api, who: NewModerator, item: Item, what: str, **data: Any) -> Any:
    return api.call("POST", f"/api/v1/queue/{item['id']}/{what}", who.key, json=data)


def events(api: Api, who: NewModerator, item: Item) -> list[Item]:
    found: list[Item] = api.call("GET", f"/api/v1/queue/{item['id']}/events", who.key).get_json()["items"]
    return found


def test_a_note_is_kept_with_its_writer_and_changes_no_version(
    api: Api, bruno: NewModerator, carla: NewModerator, item: Item
) -> None:
    assert say(api, bruno, item, "notes", note="known to us").status_code == 201
    detail = api.call("GET", f"/api/v1/queue/{item['id']}", carla.key).get_json()
    assert [(one["moderator"], one["note"]) for one in detail["remarks"]] == [("Bruno", "known to us")]
    assert detail["version"] == item["version"]


def test_what_is_escalated_leaves_the_moderators_and_waits_for_a_maintainer(
    api: Api, bruno: NewModerator, carla: NewModerator, item: Item
) -> None:
    answer = say(api, bruno, item, "escalation", note="a threat?")
    assert answer.status_code == 200
    escalated = answer.get_json()
    assert escalated["escalated_at"] and escalated["version"] == item["version"] + 1
    assert api.queue(bruno) == []
    assert [one["id"] for one in api.queue(bruno, "?escalated=true")] == [item["id"]]
    assert [one["id"] for one in api.queue(carla)] == [item["id"]]
    assert api.call("POST", "/api/v1/queue/claims", bruno.key, json={"count": 5}).get_json()["items"] == []
    assert api.decide(bruno, escalated, "approve").status_code == 403
    assert api.decide(carla, escalated, "approve").status_code == 200


def test_escalating_twice_changes_the_version_once(api: Api, bruno: NewModerator, item: Item) -> None:
    first = say(api, bruno, item, "escalation").get_json()["version"]
    assert say(api, bruno, item, "escalation", note="again").get_json()["version"] == first


def test_a_decided_item_is_not_escalated(api: Api, bruno: NewModerator, item: Item) -> None:
    api.decide(bruno, item, "approve")
    assert say(api, bruno, item, "escalation").status_code == 412


def test_events_tell_all_that_happened_in_its_order(
    api: Api, bruno: NewModerator, carla: NewModerator, item: Item
) -> None:
    say(api, bruno, item, "notes", note="hm")
    api.call("PUT", f"/api/v1/queue/{item['id']}/claim", bruno.key)
    api.call("DELETE", f"/api/v1/queue/{item['id']}/claim?reason=skip", bruno.key)
    version = say(api, bruno, item, "escalation").get_json()["version"]
    decision = api.decide(carla, item | {"version": version}, "reject").get_json()["decision"]["id"]
    api.call("POST", f"/api/v1/decisions/{decision}/reversal", carla.key)
    told = [(one["kind"], one["actor"]) for one in events(api, bruno, item)]
    assert sorted(told[:2]) == [("decided", "policy"), ("opened", None)]
    assert told[2:] == [
        ("noted", "Bruno"),
        ("released", "Bruno"),
        ("escalated", "Bruno"),
        ("decided", "Carla"),
        ("reversed", "Carla"),
    ]


@pytest.mark.parametrize(
    ("what", "sent"), [("notes", {}), ("notes", {"note": " "}), ("escalation", {"x": 1})]
)
def test_what_cannot_be_used_is_refused(
    api: Api, bruno: NewModerator, item: Item, what: str, sent: Item
) -> None:
    assert say(api, bruno, item, what, **sent).status_code == 422


@pytest.mark.parametrize("what", ["notes", "escalation"])
def test_an_unknown_item_is_not_found(api: Api, bruno: NewModerator, what: str) -> None:
    assert say(api, bruno, {"id": "item_x"}, what, note="a note").status_code == 404
