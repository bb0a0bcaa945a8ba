"""POST /api/v1/queue/selections, and deciding what was frozen"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from moderation.database import Database
from moderation.models import Selection
from moderation.services.access import NewModerator, NewSite
from tests.conftest import Api

Drain = Callable[[], int]
Found = dict[str, Any]


@pytest.fixture
def held(api: Api, alma: NewSite, drain: Drain) -> list[str]:
    """Three held comments about a casino and one about something else."""
    ids = [api.hand_in(alma, f"score:spam=0.7 casino {n}")["id"] for n in range(3)]
    ids.append(api.hand_in(alma, "score:insult=0.8 a quarrel")["id"])
    drain()
    return ids


def freeze(api: Api, who: NewModerator, **request: Any) -> Found:
    answer = api.call("POST", "/api/v1/queue/selections", who.key, json=request)
    assert answer.status_code == 200, answer.text
    found: Found = answer.get_json()
    return found


def decide(api: Api, who: NewModerator, selection: Found, **more: Any) -> Any:
    data = {"action": "reject", "reason": "spam", "selection": selection["selection_id"]} | more
    return api.call("POST", "/api/v1/queue/batches", who.key, json=data)


def test_it_tells_how_many_why_and_shows_some(api: Api, bruno: NewModerator, held: list[str]) -> None:
    found = freeze(api, bruno, filters={"q": "casino"})
    assert (found["count"], found["more"], found["by_reason"]) == (3, False, {"spam": 3})
    assert [item["comment"]["id"] for item in found["sample"]] == held[:3]
    assert freeze(api, bruno, count=2)["more"] is True


def test_what_was_seen_is_what_is_decided(
    api: Api, alma: NewSite, bruno: NewModerator, drain: Drain, held: list[str]
) -> None:
    found = freeze(api, bruno, filters={"q": "casino"})
    later = api.hand_in(alma, "score:spam=0.7 casino, too late")["id"]
    drain()
    answer = decide(api, bruno, found).get_json()
    assert [one["result"] for one in answer["results"]] == ["applied"] * 3
    assert [api.fate(alma, one)[0] for one in held] == ["rejected"] * 3 + ["held"]
    assert api.fate(alma, later)[0] == "held"


def test_what_somebody_else_decided_meanwhile_is_told_and_left_alone(
    api: Api, alma: NewSite, bruno: NewModerator, carla: NewModerator, held: list[str]
) -> None:
    found = freeze(api, bruno, filters={"q": "casino"})
    api.decide(carla, found["sample"][0], "approve")
    results = decide(api, bruno, found).get_json()["results"]
    assert [one["result"] for one in results] == ["stale", "applied", "applied"]
    assert api.fate(alma, held[0])[0] == "approved"


def test_deciding_it_again_tells_the_same_and_changes_nothing(
    api: Api, bruno: NewModerator, carla: NewModerator, held: list[str]
) -> None:
    found = freeze(api, bruno, filters={"q": "casino"})
    api.decide(carla, found["sample"][0], "approve")
    first, again = decide(api, bruno, found), decide(api, bruno, found, action="approve")
    assert first.get_json() == again.get_json()


def test_one_reversal_undoes_it(api: Api, alma: NewSite, bruno: NewModerator, held: list[str]) -> None:
    batch = decide(api, bruno, freeze(api, bruno)).get_json()["batch_id"]
    answer = api.call("POST", f"/api/v1/queue/batches/{batch}/reversal", bruno.key).get_json()
    assert [one["result"] for one in answer["results"]] == ["applied"] * 4
    assert [api.fate(alma, one)[0] for one in held] == ["held"] * 4


def test_it_is_the_moderators_own(
    api: Api, bruno: NewModerator, carla: NewModerator, held: list[str]
) -> None:
    assert decide(api, carla, freeze(api, bruno)).status_code == 404


def test_it_is_forgotten_after_a_day(
    api: Api, database: Database, bruno: NewModerator, held: list[str]
) -> None:
    found = freeze(api, bruno)
    with database.write() as session:
        session.execute(update(Selection).values(created_at=datetime.now(UTC) - timedelta(days=1, minutes=1)))
    assert decide(api, bruno, found).status_code == 404


def test_nothing_with_these_filters_is_an_empty_selection(api: Api, bruno: NewModerator) -> None:
    found = freeze(api, bruno, filters={"q": "nobody wrote this"})
    assert (found["count"], found["sample"]) == (0, [])
    assert decide(api, bruno, found).get_json()["results"] == []


def test_items_or_a_selection_but_not_both(api: Api, bruno: NewModerator, held: list[str]) -> None:
    found = freeze(api, bruno)
    both = decide(api, bruno, found, items=[{"id": "item_x", "version": 1}])
    neither = api.call("POST", "/api/v1/queue/batches", bruno.key, json={"action": "approve"})
    assert (both.status_code, neither.status_code) == (422, 422)
