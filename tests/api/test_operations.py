"""GET /healthz, /readyz, /metrics and /api/v1/stats"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from moderation.scoring import ModelError, open_scorer
from moderation.services.access import NewModerator, NewSite
from moderation.settings import Settings
from tests.conftest import Api
from tests.fakes import FakeScorer, FakeWakeUps

Drain = Callable[[], int]


def lose_the_database(settings: Settings) -> None:
    """Put something in the database's place that is none."""
    path = Path(settings.database_url.removeprefix("sqlite:///"))
    path.unlink()
    path.mkdir()


def readiness(api: Api) -> tuple[int, dict[str, str]]:
    answer = api.call("GET", "/readyz")
    return answer.status_code, answer.get_json()


def figures(api: Api) -> dict[str, float]:
    """Every figure by its name, with the status where it has one."""
    answer = api.call("GET", "/metrics")
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    samples = [one for family in text_string_to_metric_families(answer.text) for one in family.samples]
    return {" ".join([one.name, *one.labels.values()]): one.value for one in samples}


def test_it_is_alive_whatever_is_missing(api: Api, settings: Settings) -> None:
    lose_the_database(settings)
    answer = api.call("GET", "/healthz")
    assert (answer.status_code, answer.get_json()) == (200, {"status": "ok"})


def test_it_is_ready_with_everything_in_place(api: Api) -> None:
    assert readiness(api) == (200, {"status": "ok", "database": "ok", "redis": "ok", "model": "ok"})


def test_it_says_that_the_database_is_missing(api: Api, settings: Settings) -> None:
    lose_the_database(settings)
    status, parts = readiness(api)
    assert (status, parts["status"]) == (503, "unavailable")
    assert parts["database"] == "cannot be used (OperationalError)"
    assert (parts["redis"], parts["model"]) == ("ok", "ok")


def test_it_says_that_redis_is_missing(
    api: Api, wake_ups: FakeWakeUps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wake_ups, "ping", lambda: False)
    status, parts = readiness(api)
    assert (status, parts["redis"], parts["database"]) == (503, "cannot be reached", "ok")


def test_it_says_that_the_model_is_missing_and_names_no_file(
    api: Api, scorer: FakeScorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise ModelError("/srv/models/v-1/model.joblib: cannot be loaded")

    monkeypatch.setattr(scorer, "current", refuse)
    assert readiness(api) == (
        503,
        {"status": "unavailable", "database": "ok", "redis": "ok", "model": "cannot be used (ModelError)"},
    )


def test_the_shipped_model_makes_a_new_installation_ready(app: Flask, api: Api, settings: Settings) -> None:
    object.__setattr__(app.extensions["greenroom"], "scorer", open_scorer(settings))
    assert readiness(api)[0] == 200


def test_the_figures_of_an_empty_installation_are_all_there(api: Api) -> None:
    found = figures(api)
    assert found.items() >= {"greenroom_submissions_waiting": 0, "greenroom_queue_open_items": 0}.items()
    assert all(name.startswith("greenroom_") for name in found)


def test_the_figures_tell_what_waits_and_what_became_of_the_rest(
    api: Api, alma: NewSite, drain: Drain
) -> None:
    for body in ("kind", "score:spam=0.7", "score:spam=0.95"):
        api.hand_in(alma, body)
    drain()
    api.hand_in(alma, "still waiting")
    time.sleep(0.01)
    found = figures(api)
    assert found["greenroom_submissions_waiting"] == 1
    assert 0 < found["greenroom_submissions_oldest_waiting_seconds"] < 60
    assert found["greenroom_queue_open_items"] == 1
    assert 0 < found["greenroom_queue_oldest_open_seconds"] < 60
    statuses = {name: value for name, value in found.items() if name.startswith("greenroom_comments ")}
    assert statuses == {
        "greenroom_comments approved": 1,
        "greenroom_comments held": 1,
        "greenroom_comments rejected": 1,
        "greenroom_comments pending": 1,
    }


def statistics(api: Api, who: NewModerator) -> dict[str, Any]:
    answer = api.call("GET", "/api/v1/stats", who.key)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.get_json()
    return found


def test_the_statistics_of_an_empty_installation_divide_by_nothing(api: Api, bruno: NewModerator) -> None:
    found = statistics(api, bruno)
    assert found["queue"] == {"open": 0, "claimed": 0, "overdue": 0, "oldest_seconds": 0.0, "by_reason": {}}
    assert found["last_day"] == {
        "arrivals": 0,
        "decisions": {},
        "automation_share": None,
        "seconds_to_decision": {"p50": None, "p95": None},
    }


def test_the_statistics_tell_of_queue_and_last_day(
    api: Api, alma: NewSite, bruno: NewModerator, drain: Drain
) -> None:
    for body in ("kind", "kinder", "score:spam=0.95", "score:spam=0.6", "score:spam=0.7", "score:insult=0.8"):
        api.hand_in(alma, body)
    drain()
    api.decide(bruno, api.queue(bruno)[0], "approve")
    api.call("POST", "/api/v1/queue/claims", bruno.key, json={"count": 1})
    found = statistics(api, bruno)
    assert found["queue"].items() >= {"open": 2, "claimed": 1, "overdue": 0}.items()
    assert found["queue"]["by_reason"] == {"spam": 1, "toxic": 1}
    day = found["last_day"]
    assert day["arrivals"] == 6
    assert day["decisions"] == {
        "policy": {"approve": 2, "reject": 1, "hold": 3},
        "moderator": {"approve": 1},
    }
    assert day["automation_share"] == 0.5
    assert 0 <= day["seconds_to_decision"]["p50"] <= day["seconds_to_decision"]["p95"] < 60


def test_a_withdrawn_comment_was_not_decided_by_a_person(
    api: Api, alma: NewSite, bruno: NewModerator, drain: Drain
) -> None:
    comment_id = api.hand_in(alma, "score:spam=0.7")["id"]
    drain()
    api.call("DELETE", f"/api/v1/comments/{comment_id}", alma.secret_key)
    assert statistics(api, bruno)["last_day"]["seconds_to_decision"]["p50"] is None
