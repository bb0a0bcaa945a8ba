"""POST /api/v1/queue/{id}/decision and GET /api/v1/decisions/{id}"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from moderation.database import Database
from moderation.models import Label
from moderation.services.access import NewModerator, NewSite
from tests.conftest import Api

Drain = Callable[[], int]


@pytest.fixture
def item(api: Api, alma: NewSite, bruno: NewModerator, drain: Drain) -> dict[str, Any]:
    """One held comment's queue item."""
    api.hand_in(alma, "score:spam=0.7")
    drain()
    found: dict[str, Any] = api.queue(bruno)[0]
    return found


def taught(database: Database) -> dict[str, bool]:
    """The labels that count."""
    with database.read() as session:
        labels = session.scalars(select(Label).where(Label.retracted_at.is_(None))).all()
    return {label.category: label.value for label in labels}


@pytest.mark.parametrize(("action", "status"), [("approve", "approved"), ("reject", "rejected")])
def test_it_decides_the_comment_and_closes_the_item(
    api: Api, alma: NewSite, bruno: NewModerator, item: dict[str, Any], action: str, status: str
) -> None:
    answer = api.decide(bruno, item, action, note="seen before")
    assert answer.status_code == 200
    decision, after = answer.get_json()["decision"], answer.get_json()["item"]
    assert decision["action"] == action
    assert decision["actor"] == {"kind": "moderator", "id": bruno.moderator_id, "name": "Bruno"}
    assert (decision["status_before"], decision["status_after"]) == ("held", status)
    assert (decision["note"], decision["comment_id"]) == ("seen before", item["comment"]["id"])
    assert datetime.fromisoformat(decision["at"]).tzinfo is not None
    assert (after["id"], after["version"], after["comment"]["status"]) == (item["id"], 2, status)
    assert after["closed_at"] is not None
    assert api.queue(bruno) == []
    assert api.fate(alma, item["comment"]["id"])[0] == status


def test_an_approval_needs_no_reason(
    api: Api, alma: NewSite, bruno: NewModerator, item: dict[str, Any]
) -> None:
    path = f"/api/v1/queue/{item['id']}/decision"
    answer = api.call("POST", path, bruno.key, json={"action": "approve"}, headers={"If-Match": '"1"'})
    assert answer.status_code == 200
    assert api.fate(alma, item["comment"]["id"]) == ("approved", "clean")


def test_the_decision_can_be_read_again(api: Api, bruno: NewModerator, item: dict[str, Any]) -> None:
    decision = api.decide(bruno, item, "reject").get_json()["decision"]
    assert api.call("GET", f"/api/v1/decisions/{decision['id']}", bruno.key).get_json() == decision
    assert api.call("GET", "/api/v1/decisions/dec_nothing", bruno.key).status_code == 404


def test_without_if_match_it_is_428(
    api: Api, alma: NewSite, bruno: NewModerator, item: dict[str, Any]
) -> None:
    path = f"/api/v1/queue/{item['id']}/decision"
    answer = api.call("POST", path, bruno.key, json={"action": "approve"})
    assert (answer.status_code, answer.get_json()["type"]) == (428, "urn:greenroom:problem:if-match-required")
    assert api.fate(alma, item["comment"]["id"])[0] == "held"


@pytest.mark.parametrize("tag", ['"7"', '"0"', 'W/"1"', '"something"', "", "-1"])
def test_another_version_is_412(api: Api, bruno: NewModerator, item: dict[str, Any], tag: str) -> None:
    path = f"/api/v1/queue/{item['id']}/decision"
    answer = api.call("POST", path, bruno.key, json={"action": "approve"}, headers={"If-Match": tag})
    assert (answer.status_code, answer.get_json()["type"]) == (412, "urn:greenroom:problem:stale")
    assert answer.get_json()["current_version"] == 1


@pytest.mark.parametrize("tag", ['"1"', "1", "*"])
def test_the_version_seen_is_taken_in_any_form(
    api: Api, bruno: NewModerator, item: dict[str, Any], tag: str
) -> None:
    path = f"/api/v1/queue/{item['id']}/decision"
    answer = api.call("POST", path, bruno.key, json={"action": "approve"}, headers={"If-Match": tag})
    assert answer.status_code == 200


@pytest.mark.parametrize("tag", ['"1"', "*"])
def test_who_comes_second_learns_who_was_first_and_when(
    api: Api, bruno: NewModerator, carla: NewModerator, item: dict[str, Any], tag: str
) -> None:
    first = api.decide(bruno, item, "reject").get_json()["decision"]
    path = f"/api/v1/queue/{item['id']}/decision"
    answer = api.call("POST", path, carla.key, json={"action": "approve"}, headers={"If-Match": tag})
    problem = answer.get_json()
    assert (answer.status_code, problem["type"]) == (412, "urn:greenroom:problem:stale")
    assert (problem["decided_by"], problem["action"], problem["at"]) == ("Bruno", "reject", first["at"])
    assert problem["current_version"] == 2


def test_a_maintainer_decides_under_that_role(
    api: Api, carla: NewModerator, item: dict[str, Any], database: Database
) -> None:
    assert api.decide(carla, item, "reject").get_json()["decision"]["actor"]["kind"] == "maintainer"
    with database.read() as session:
        assert session.scalars(select(Label.source)).all() == ["maintainer"]


@pytest.mark.parametrize(
    ("ruling", "labels"),
    [
        ({"action": "approve"}, {"spam": False, "toxicity": False}),
        ({"action": "reject", "reason": "spam"}, {"spam": True}),
        ({"action": "reject", "reason": "toxic"}, {"toxicity": True}),
        ({"action": "reject", "reason": "threat"}, {"threat": True, "toxicity": True}),
        ({"action": "reject", "reason": "off_topic"}, {}),
        ({"action": "reject", "reason": "off_topic", "labels": {"spam": False}}, {"spam": False}),
        (
            {"action": "approve", "labels": {"toxicity": True, "insult": True}},
            {"spam": False, "toxicity": True, "insult": True},
        ),
    ],
)
def test_it_teaches(
    api: Api,
    bruno: NewModerator,
    item: dict[str, Any],
    database: Database,
    ruling: dict[str, Any],
    labels: dict[str, bool],
) -> None:
    path = f"/api/v1/queue/{item['id']}/decision"
    assert api.call("POST", path, bruno.key, json=ruling, headers={"If-Match": '"1"'}).status_code == 200
    assert taught(database) == labels


@pytest.mark.parametrize(
    ("ruling", "pointer"),
    [
        ({}, "/action"),
        ({"action": "hold"}, "/action"),
        ({"action": "remove"}, "/action"),
        ({"action": "reject"}, "/reason"),
        ({"action": "reject", "reason": "Not a reason"}, "/reason"),
        ({"action": "reject", "reason": "x" * 41}, "/reason"),
        ({"action": "reject", "reason": None}, "/reason"),
        ({"action": "approve", "labels": {"kindness": True}}, "/labels/kindness/key"),
        ({"action": "approve", "labels": {"spam": "yes"}}, "/labels"),
        ({"action": "approve", "labels": {"spam": None}}, "/labels"),
        ({"action": "approve", "labels": ["spam"]}, "/labels"),
        ({"action": "approve", "note": "x" * 2001}, "/note"),
        ({"action": "approve", "note": "nul \0"}, "/note"),
        ({"action": "approve", "because": "of you"}, "/because"),
    ],
)
def test_a_wrong_member_is_named_and_nothing_is_decided(
    api: Api,
    alma: NewSite,
    bruno: NewModerator,
    item: dict[str, Any],
    database: Database,
    ruling: dict[str, Any],
    pointer: str,
) -> None:
    path = f"/api/v1/queue/{item['id']}/decision"
    answer = api.call("POST", path, bruno.key, json=ruling, headers={"If-Match": '"1"'})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == [pointer]
    assert api.fate(alma, item["comment"]["id"])[0] == "held"
    assert taught(database) == {}


def test_an_unknown_item_is_404(api: Api, bruno: NewModerator) -> None:
    assert api.decide(bruno, {"id": "item_nothing", "version": 1}, "approve").status_code == 404
