"""GET /api/v1/stats: the desk over a window of time"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from moderation.database import Database
from moderation.models import Decision, QueueItem
from moderation.services.access import NewModerator, NewSite
from tests.conftest import Api, make_site

Drain = Callable[[], int]


@pytest.fixture
def worked(api: Api, alma: NewSite, bruno: NewModerator, carla: NewModerator, drain: Drain) -> None:
    """Six held comments: Bruno decided three and took one back, Carla one."""
    for n in range(6):
        api.hand_in(alma, f"score:spam=0.7 {n}")
    drain()
    items = api.queue(bruno)
    decided = [api.decide(bruno, item, "reject").get_json() for item in items[:2]]
    api.decide(bruno, items[2], "approve")
    api.decide(carla, items[3], "approve")
    api.call("POST", f"/api/v1/decisions/{decided[0]['decision']['id']}/reversal", bruno.key)


def window(api: Api, who: NewModerator, query: str = "") -> dict[str, Any]:
    answer = api.call("GET", f"/api/v1/stats{query}", who.key)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()["window"]
    return found


def test_it_tells_each_moderators_and_each_reasons_part(api: Api, bruno: NewModerator, worked: None) -> None:
    found = window(api, bruno)
    parts = [(one["name"], one["decided"], one["approved"], one["rejected"]) for one in found["moderators"]]
    assert parts == [("Bruno", 3, 1, 2), ("Carla", 1, 1, 0)]
    assert {one["name"]: one["decided"] for one in found["reasons"]} == {"spam": 2, "clean": 2}
    assert found["reversals"] == 1
    assert found["seconds_to_decision"]["p50"] >= 0


def test_arrivals_and_decisions_are_told_by_the_hour_and_for_long_by_the_day(
    api: Api, bruno: NewModerator, worked: None
) -> None:
    day, month = window(api, bruno), window(api, bruno, "?days=30")
    assert (len(day["series"]), day["step_seconds"]) == (24, 3600)
    assert (len(month["series"]), month["step_seconds"]) == (30, 86400)
    for found in (day, month):
        assert sum(step["opened"] for step in found["series"]) == 6
        assert sum(step["decided"] for step in found["series"]) == 4
        assert found["series"][-1]["opened"] == 6


def test_what_is_older_than_the_window_is_left_out(
    api: Api, database: Database, bruno: NewModerator, worked: None
) -> None:
    with database.write() as session:
        for decision in session.scalars(select(Decision)):
            decision.created_at -= timedelta(days=3)
        session.execute(update(QueueItem).values(opened_at=QueueItem.opened_at))
    assert window(api, bruno)["moderators"] == []
    assert len(window(api, bruno, "?days=7")["moderators"]) == 2


def test_a_site_has_figures_of_its_own(
    api: Api, database: Database, bruno: NewModerator, alma: NewSite, worked: None
) -> None:
    other = make_site(database)
    assert window(api, bruno, f"?site={other.site_id}")["moderators"] == []
    assert window(api, bruno, f"?site={alma.site_id}")["moderators"]
    assert window(api, bruno)["open_by_site"] == {alma.site_id: 3}


def test_a_queue_that_grows_is_never_empty_at_this_pace(api: Api, bruno: NewModerator, worked: None) -> None:
    assert window(api, bruno)["seconds_to_empty"] is None


def test_an_empty_queue_is_empty_now(api: Api, bruno: NewModerator) -> None:
    assert window(api, bruno)["seconds_to_empty"] == 0.0


def test_a_queue_that_shrinks_is_empty_after_what_is_left_at_this_pace(
    api: Api, database: Database, alma: NewSite, bruno: NewModerator, drain: Drain
) -> None:
    for n in range(4):
        api.hand_in(alma, f"score:spam=0.7 {n}")
    drain()
    with database.write() as session:
        for item in session.scalars(select(QueueItem)):
            item.opened_at -= timedelta(days=2)
    for item in api.queue(bruno)[:3]:
        api.decide(bruno, item, "approve")
    # Three a day, one left.
    assert window(api, bruno)["seconds_to_empty"] == pytest.approx(86400 / 3, rel=1e-3)


@pytest.mark.parametrize("query", ["?days=0", "?days=91", "?days=x"])
def test_a_window_that_cannot_be_used_is_refused(api: Api, bruno: NewModerator, query: str) -> None:
    assert api.call("GET", f"/api/v1/stats{query}", bruno.key).status_code == 422
