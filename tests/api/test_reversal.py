"""POST /api/v1/decisions/{id}/reversal"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from moderation.database import Database
from moderation.models import Decision, Label
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


def reverse(api: Api, who: NewModerator, decision_id: str) -> TestResponse:
    return api.call("POST", f"/api/v1/decisions/{decision_id}/reversal", who.key)


def decided(api: Api, who: NewModerator, item: dict[str, Any], action: str = "reject") -> str:
    decision_id: str = api.decide(who, item, action).get_json()["decision"]["id"]
    return decision_id


def last_decision(database: Database, comment_id: str) -> str:
    query = select(Decision.id).where(Decision.comment_id == comment_id).order_by(Decision.number.desc())
    with database.read() as session:
        found = session.scalars(query).first()
    assert found is not None
    return found


def assert_refused(answer: TestResponse) -> None:
    assert (answer.status_code, answer.get_json()["type"]) == (409, "urn:greenroom:problem:not-reversible")


@pytest.mark.parametrize("action", ["approve", "reject"])
def test_it_puts_the_same_item_back_at_a_higher_version(
    api: Api, alma: NewSite, bruno: NewModerator, item: dict[str, Any], action: str
) -> None:
    decision_id = decided(api, bruno, item, action)
    answer = reverse(api, bruno, decision_id)
    assert answer.status_code == 200
    found = answer.get_json()
    assert (found["decision"]["reverses"], found["decision"]["action"]) == (decision_id, "hold")
    assert (found["item"]["id"], found["item"]["version"]) == (item["id"], 3)
    assert api.fate(alma, item["comment"]["id"])[0] == "held"
    (back,) = api.queue(bruno)
    assert back == found["item"]
    unchanged = ("id", "reason", "why", "findings", "scores", "due_at", "opened_at")
    assert {name: back[name] for name in unchanged} == {name: item[name] for name in unchanged}


def test_the_item_can_be_decided_again_as_it_is_now_only(
    api: Api, alma: NewSite, bruno: NewModerator, item: dict[str, Any]
) -> None:
    reopened = reverse(api, bruno, decided(api, bruno, item)).get_json()["item"]
    assert api.decide(bruno, item, "approve").status_code == 412
    assert api.decide(bruno, reopened, "approve").status_code == 200
    assert api.fate(alma, item["comment"]["id"]) == ("approved", "clean")


def test_it_retracts_what_the_decision_taught_and_nothing_else(
    api: Api, alma: NewSite, bruno: NewModerator, item: dict[str, Any], drain: Drain, database: Database
) -> None:
    api.hand_in(alma, "score:spam=0.6")
    drain()
    other = next(one for one in api.queue(bruno) if one["id"] != item["id"])
    decided(api, bruno, other)
    reverse(api, bruno, decided(api, bruno, item))
    with database.read() as session:
        labels = session.scalars(select(Label).order_by(Label.created_at)).all()
    assert [label.retracted_at is None for label in labels] == [True, False]


def test_a_second_reversal_is_refused(api: Api, bruno: NewModerator, item: dict[str, Any]) -> None:
    decision_id = decided(api, bruno, item)
    assert reverse(api, bruno, decision_id).status_code == 200
    assert_refused(reverse(api, bruno, decision_id))
    assert len(api.queue(bruno)) == 1


def test_it_is_refused_when_something_newer_happened(
    api: Api, alma: NewSite, bruno: NewModerator, item: dict[str, Any], database: Database
) -> None:
    decision_id = decided(api, bruno, item)
    path = f"/api/v1/comments/{item['comment']['id']}"
    api.call("PUT", path, alma.secret_key, json={"body": "A kinder word."})
    assert_refused(reverse(api, bruno, decision_id))
    assert api.fate(alma, item["comment"]["id"])[0] == "pending"
    with database.read() as session:
        assert session.scalars(select(Label.retracted_at)).all() == [None]


def test_the_last_word_of_two_is_the_one_to_reverse(
    api: Api, bruno: NewModerator, item: dict[str, Any]
) -> None:
    first = decided(api, bruno, item)
    reopened = reverse(api, bruno, first).get_json()["item"]
    second = decided(api, bruno, reopened, "approve")
    assert_refused(reverse(api, bruno, first))
    assert reverse(api, bruno, second).status_code == 200


def test_anybody_on_the_desk_may_take_a_decision_back(
    api: Api, bruno: NewModerator, carla: NewModerator, item: dict[str, Any]
) -> None:
    answer = reverse(api, carla, decided(api, bruno, item))
    assert answer.get_json()["decision"]["actor"]["name"] == "Carla"


@pytest.mark.parametrize(("body", "action"), [("A kind word.", "approve"), ("score:spam=0.95", "reject")])
def test_an_automatic_decision_taken_back_goes_to_people(
    api: Api, alma: NewSite, bruno: NewModerator, drain: Drain, database: Database, body: str, action: str
) -> None:
    comment_id = api.hand_in(alma, body)["id"]
    drain()
    answer = reverse(api, bruno, last_decision(database, comment_id))
    assert answer.status_code == 200
    assert api.fate(alma, comment_id) == ("held", "reversed")
    (item,) = api.queue(bruno)
    assert answer.get_json()["item"] == item
    assert (item["version"], item["comment"]["id"], item["scores"] is None) == (1, comment_id, False)
    assert api.decide(bruno, item, action).status_code == 200


def test_what_is_no_approval_and_no_rejection_is_not_reversed(
    api: Api, alma: NewSite, bruno: NewModerator, item: dict[str, Any], database: Database
) -> None:
    comment_id = item["comment"]["id"]
    assert_refused(reverse(api, bruno, last_decision(database, comment_id)))
    reversal = reverse(api, bruno, decided(api, bruno, item)).get_json()["decision"]["id"]
    assert_refused(reverse(api, bruno, reversal))
    api.call("DELETE", f"/api/v1/comments/{comment_id}", alma.secret_key)
    assert_refused(reverse(api, bruno, last_decision(database, comment_id)))
    assert api.fate(alma, comment_id)[0] == "removed"


def test_an_unknown_decision_is_404(api: Api, bruno: NewModerator) -> None:
    assert reverse(api, bruno, "dec_nothing").status_code == 404


def test_a_comment_handed_back_to_people_is_due_when_the_settings_say(
    api: Api, app: Flask, alma: NewSite, bruno: NewModerator, drain: Drain
) -> None:
    service = app.extensions["greenroom"]
    app.extensions["greenroom"] = replace(service, settings=replace(service.settings, due_hours=2.0))
    comment_id = api.hand_in(alma)["id"]
    drain()
    found = api.call("GET", f"/api/v1/comments/{comment_id}", alma.secret_key).get_json()
    assert (
        api.call("POST", f"/api/v1/decisions/{found['decision']['id']}/reversal", bruno.key).status_code
        == 200
    )
    (item,) = api.queue(bruno)
    opened, due = (datetime.fromisoformat(item[name]) for name in ("opened_at", "due_at"))
    assert due - opened == timedelta(hours=2)
