"""/api/v1/retraining-runs"""

from datetime import UTC, datetime

from moderation.database import Database
from moderation.services.access import NewModerator
from moderation.services.retraining import RunStatus, finish_run, take_run
from tests.conftest import Api
from tests.fakes import FakeWakeUps

PATH = "/api/v1/retraining-runs"


def end(database: Database, run_id: str, status: RunStatus) -> None:
    """Work on a run and end it, as a worker would."""
    with database.write() as session:
        assert take_run(session, run_id, datetime.now(UTC))
    metrics = {"champion": {"spam": 0.9}, "challenger": {"spam": 0.95}}
    details = {"label_count": 30, "champion": "v-1", "challenger": "v-2", "metrics": metrics}
    with database.write() as session:
        assert finish_run(session, run_id, status, "because", datetime.now(UTC), **details)


def test_it_queues_a_run_and_says_where_to_follow_it(
    api: Api, carla: NewModerator, wake_ups: FakeWakeUps
) -> None:
    answer = api.call("POST", PATH, carla.key)
    run = answer.get_json()
    assert (answer.status_code, run["status"], run["requested_by"]) == (202, "queued", "Carla")
    assert answer.headers["Location"] == f"{PATH}/{run['id']}"
    assert wake_ups.runs == [run["id"]]
    assert api.call("GET", answer.headers["Location"], carla.key).get_json() == run


def test_a_second_run_is_refused_and_told_of_the_first(
    api: Api, carla: NewModerator, wake_ups: FakeWakeUps, database: Database
) -> None:
    first = api.call("POST", PATH, carla.key).get_json()["id"]
    second = api.call("POST", PATH, carla.key)
    assert (second.status_code, second.get_json()["type"]) == (409, "urn:greenroom:problem:run-in-progress")
    assert second.get_json()["run_id"] == first
    assert wake_ups.runs == [first]
    end(database, first, RunStatus.KEPT)
    assert api.call("POST", PATH, carla.key).status_code == 202


def test_a_promoted_run_names_the_new_version_and_both_models_metrics(
    api: Api, carla: NewModerator, database: Database
) -> None:
    run_id = api.call("POST", PATH, carla.key).get_json()["id"]
    end(database, run_id, RunStatus.PROMOTED)
    run = api.call("GET", f"{PATH}/{run_id}", carla.key).get_json()
    assert (run["status"], run["reason"], run["new_version"]) == ("promoted", "because", "v-2")
    assert set(run["metrics"]) == {"champion", "challenger"}
    assert (run["champion"], run["label_count"]) == ("v-1", 30)
    assert run["created_at"] <= run["started_at"] <= run["finished_at"]


def test_a_kept_run_names_no_new_version(api: Api, carla: NewModerator, database: Database) -> None:
    run_id = api.call("POST", PATH, carla.key).get_json()["id"]
    end(database, run_id, RunStatus.KEPT)
    assert api.call("GET", f"{PATH}/{run_id}", carla.key).get_json()["new_version"] is None


def test_the_latest_runs_come_first(api: Api, carla: NewModerator, database: Database) -> None:
    ids = []
    for _ in range(3):
        ids.append(api.call("POST", PATH, carla.key).get_json()["id"])
        end(database, ids[-1], RunStatus.FAILED)
    page = api.call("GET", PATH, carla.key).get_json()
    assert [run["id"] for run in page["items"]] == ids[::-1]
    assert page["next_cursor"] is None


def test_an_unknown_run_is_404(api: Api, carla: NewModerator) -> None:
    assert api.call("GET", f"{PATH}/run_nothing", carla.key).status_code == 404
