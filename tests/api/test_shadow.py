"""/api/v1/models/{version}/shadow and `greenroom shadow`: begin, look, end"""

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from moderation.services.access import NewModerator, NewSite
from moderation.settings import Settings
from tests.conftest import SECRET, Api
from tests.fakes import FakeScorer
from tests.shadow import learn
from workers.cli import main, shadow_command
from workers.process import Process

PATH = "/api/v1/models/milder/shadow"


@pytest.fixture
def scorer() -> FakeScorer:
    """Beside the model in force there is one that sees less in everything."""
    made = FakeScorer()
    made.versions["milder"] = 0.6
    return made


def test_it_begins_is_looked_at_and_ends(
    api: Api, alma: NewSite, carla: NewModerator, drain: Callable[[], int], process: Process
) -> None:
    begun = api.call("POST", PATH, carla.key)
    assert begun.status_code == 201
    shadow = begun.get_json()
    assert (shadow["model_version"], shadow["begun_by"], shadow["ended_at"]) == ("milder", "Carla", None)
    nothing = {"comments": 0, "differing": 0, "agreement": None, "changes": {}, "categories": []}
    assert shadow["comparison"] == nothing
    learn(process)
    api.hand_in(alma, "score:spam=0.6 doubtful")
    drain()
    found = api.call("GET", PATH, carla.key).get_json()
    assert found["comparison"]["changes"] == {"held to approved": 1}
    assert found["comparison"]["agreement"] == 0.0
    assert found["comparison"]["categories"][0] == {"category": "spam", "mean": -0.24, "absolute": 0.24}
    ended = api.call("DELETE", PATH, carla.key)
    assert (ended.status_code, ended.get_json()["ended_because"]) == (200, "by hand")
    assert api.call("DELETE", PATH, carla.key).status_code == 404
    assert api.call("GET", PATH, carla.key).get_json()["comparison"]["comments"] == 1
    acts = [line["act"] for line in api.call("GET", "/api/v1/audit", carla.key).get_json()["items"]]
    assert acts[:2] == ["shadow ended", "shadow begun"]


def test_one_model_at_a_time_scores_in_the_shadow(api: Api, carla: NewModerator) -> None:
    assert api.call("POST", PATH, carla.key).status_code == 201
    second = api.call("POST", PATH, carla.key)
    assert (second.status_code, second.get_json()["type"]) == (409, "urn:greenroom:problem:shadow-refused")
    api.call("DELETE", PATH, carla.key)
    assert api.call("POST", PATH, carla.key).status_code == 201


def test_the_model_in_force_is_no_shadow_of_itself(api: Api, carla: NewModerator) -> None:
    answer = api.call("POST", "/api/v1/models/fake-1/shadow", carla.key)
    assert (answer.status_code, answer.get_json()["detail"]) == (409, "it is in force")


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
def test_an_unknown_version_is_not_found(api: Api, carla: NewModerator, method: str) -> None:
    assert api.call(method, "/api/v1/models/nonsense/shadow", carla.key).status_code == 404


def test_the_command_line_does_the_same(
    settings: Settings, scorer: FakeScorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENROOM_HOME", str(settings.home))
    monkeypatch.setenv("GREENROOM_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("GREENROOM_SECRET_KEY", SECRET)
    monkeypatch.setattr(shadow_command, "open_scorer", lambda _: scorer)

    def shadow(*words: str) -> Result:
        return CliRunner().invoke(main, ["shadow", *words])

    assert shadow().exit_code == 2
    assert "nonsense" in shadow("nonsense").output
    assert "it is in force" in shadow("fake-1").output
    begun = shadow("milder")
    assert (begun.exit_code, "0, of which 0 would have fared otherwise" in begun.output) == (0, True)
    assert shadow("milder").exit_code == 2
    assert json.loads(shadow("--json").output)["comparison"]["comments"] == 0
    assert "ended_because  by hand" in shadow("--end").output
    assert shadow("--end").exit_code == 2
