"""GET /healthz, /readyz, /metrics and /api/v1/stats"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from moderation import migrate
from moderation.database import Database
from moderation.jobs import QueueState
from moderation.scoring import ModelError, open_scorer
from moderation.services.accept import NewComment, accept
from moderation.services.access import NewModerator, NewSite
from moderation.settings import Settings
from tests.conftest import Api
from tests.fakes import FakeScorer, FakeWakeUps
from tests.stores import lose_database

Drain = Callable[[], int]
PARTS = ("database", "migrations", "redis", "workers", "model")


def readiness(api: Api, query: str = "") -> tuple[int, dict[str, str]]:
    answer = api.call("GET", f"/readyz{query}")
    return answer.status_code, answer.get_json()


def figures(api: Api) -> dict[str, float]:
    """Every figure by its name, with the status where it has one."""
    answer = api.call("GET", "/metrics")
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    samples = [one for family in text_string_to_metric_families(answer.text) for one in family.samples]
    return {" ".join([one.name, *one.labels.values()]): one.value for one in samples}


def test_it_is_alive_whatever_is_missing(api: Api, settings: Settings) -> None:
    lose_database(settings.database_url)
    answer = api.call("GET", "/healthz")
    assert (answer.status_code, answer.get_json()) == (200, {"status": "ok"})


def test_it_is_ready_with_everything_in_place(api: Api) -> None:
    assert readiness(api) == (200, {"status": "ok"} | dict.fromkeys(PARTS, "ok"))


def test_it_says_that_the_database_is_missing(api: Api, settings: Settings) -> None:
    lose_database(settings.database_url)
    status, parts = readiness(api)
    assert (status, parts["status"]) == (503, "unavailable")
    assert parts["database"] == "cannot be used (OperationalError)"
    assert (parts["migrations"], parts["redis"], parts["model"]) == ("unknown", "ok", "ok")


def set_revision(database: Database, revision: str | None) -> None:
    """Make the database say that this was the last migration; None: that there never was one."""
    with database.write() as session:
        statement = "DROP TABLE alembic_version" if revision is None else UPDATE_REVISION
        session.execute(text(statement), {} if revision is None else {"revision": revision})


UPDATE_REVISION = "UPDATE alembic_version SET version_num = :revision"


def test_tables_that_no_migration_made_or_an_older_one_are_not_enough(
    api: Api, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "_revisions", lambda: ("0002", frozenset({"0001", "0002"})))
    set_revision(database, "0001")
    status, parts = readiness(api)
    assert (status, parts["migrations"]) == (503, "the tables are older than this version")
    set_revision(database, None)
    assert readiness(api)[1]["migrations"] == "none was applied"


def test_newer_tables_are_good_enough_for_older_code(api: Api, database: Database) -> None:
    set_revision(database, "9999")
    assert readiness(api)[0] == 200


def test_without_redis_it_is_degraded_and_goes_on_accepting(api: Api, wake_ups: FakeWakeUps) -> None:
    wake_ups.states = None
    status, parts = readiness(api)
    assert (status, parts["status"], parts["redis"]) == (503, "degraded", "cannot be reached")
    assert (parts["database"], parts["workers"]) == ("ok", "unknown")
    assert readiness(api, "?to=accept") == (200, parts)


def test_without_a_scoring_worker_it_is_degraded(api: Api, wake_ups: FakeWakeUps) -> None:
    wake_ups.states = [QueueState("scoring", 3, 0, 0), QueueState("retraining", 0, 0, 1)]
    status, parts = readiness(api)
    assert (status, parts["status"], parts["workers"]) == (200, "degraded", "no scoring worker is alive")


def test_a_retraining_worker_may_be_missing(api: Api, wake_ups: FakeWakeUps) -> None:
    wake_ups.states = [QueueState("scoring", 0, 0, 1), QueueState("retraining", 0, 0, 0)]
    assert readiness(api)[1]["status"] == "ok"


def test_it_says_that_the_model_is_missing_and_names_no_file(
    api: Api, scorer: FakeScorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise ModelError("/srv/models/v-1/model.joblib: cannot be loaded")

    monkeypatch.setattr(scorer, "current", refuse)
    told = {"status": "degraded"} | dict.fromkeys(PARTS, "ok") | {"model": "cannot be used (ModelError)"}
    assert readiness(api) == (503, told)


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


def test_the_figures_tell_what_was_accepted_and_decided_and_by_whom(
    api: Api, alma: NewSite, bruno: NewModerator, drain: Drain
) -> None:
    before = figures(api)
    comment_id = api.hand_in(alma, "kind", external_id="one")["id"]
    api.call("PUT", f"/api/v1/comments/{comment_id}", alma.secret_key, json={"body": "kinder"})
    for _ in range(2):
        body = {"thread": {"id": "t"}, "author": {"name": "R"}, "body": "score:spam=0.7"}
        key = {"Idempotency-Key": "twice"}
        api.call("POST", "/api/v1/comments", alma.secret_key, json=body, headers=key)
    drain()
    api.decide(bruno, api.queue(bruno)[0], "reject", reason="written_by_a_moderator")
    after = figures(api)
    grown = {name: value - before.get(name, 0) for name, value in after.items()}
    assert (
        grown.items()
        >= {
            "greenroom_submissions_accepted_total comment": 2,
            "greenroom_submissions_accepted_total edit": 1,
            "greenroom_decisions_total policy approve clean": 1,
            "greenroom_decisions_total policy hold spam": 1,
            "greenroom_decisions_total moderator reject other": 1,
            "greenroom_decisions_total author edit edited": 1,
            "greenroom_batch_comments_count": 1,
            "greenroom_batch_comments_sum": 2,
            "greenroom_scoring_seconds_count": 1,
            "greenroom_recording_seconds_count": 1,
            # Of the edited one the wait began anew, so it is not measured.
            "greenroom_accepted_to_decided_seconds_count": 1,
        }.items()
    )


def test_what_is_rolled_back_is_not_counted(api: Api, alma: NewSite, database: Database) -> None:
    before = figures(api)
    new = NewComment("t", "never stored", {"name": "R"})
    with pytest.raises(RuntimeError), database.write() as session:
        accept(session, alma.site_id, new, datetime.now(UTC))
        raise RuntimeError
    assert figures(api)["greenroom_submissions_accepted_total comment"] == before.get(
        "greenroom_submissions_accepted_total comment", 0
    )


def test_requests_are_counted_by_template_method_and_class_of_status(api: Api, alma: NewSite) -> None:
    before = figures(api)
    for _ in range(2):
        api.call("GET", "/api/v1/comments/c_unknown", alma.secret_key)
    api.call("GET", "/nowhere/at/all")
    api.call("BREW", "/healthz")
    grown = {name: value - before.get(name, 0) for name, value in figures(api).items()}
    template = "/api/v1/comments/<string:comment_id>"
    assert grown[f"greenroom_http_requests_total GET {template} 4xx"] == 2
    assert grown[f"greenroom_http_request_seconds_count GET {template}"] == 2
    assert grown["greenroom_http_requests_total GET unmatched 4xx"] == 1
    assert grown["greenroom_http_requests_total other unmatched 4xx"] == 1
    assert not any("c_unknown" in name or "nowhere" in name for name in grown)


def test_the_figures_tell_of_queues_and_workers(api: Api, wake_ups: FakeWakeUps) -> None:
    wake_ups.states = [QueueState("scoring", 3, 1, 2), QueueState("retraining", 0, 0, 1)]
    assert (
        figures(api).items()
        >= {
            "greenroom_redis_up": 1,
            "greenroom_jobs_waiting scoring": 3,
            "greenroom_jobs_failed scoring": 1,
            "greenroom_workers scoring": 2,
            "greenroom_workers retraining": 1,
        }.items()
    )


def test_what_cannot_be_asked_is_absent_and_not_zero(
    api: Api, settings: Settings, wake_ups: FakeWakeUps
) -> None:
    lose_database(settings.database_url)
    wake_ups.states = None
    found = figures(api)
    assert (found["greenroom_database_up"], found["greenroom_redis_up"]) == (0, 0)
    assert "greenroom_submissions_waiting" not in found
    assert "greenroom_workers scoring" not in found


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
