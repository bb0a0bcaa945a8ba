"""/api/v1/models: list, card, promotion and rollback, on a real registry with the shipped model"""

from datetime import UTC, datetime

import pytest

from classifier import Classifier, shipped
from classifier.registry import Registry, load_shipped
from moderation.database import Database
from moderation.scoring import Scorer, open_scorer
from moderation.services.access import NewModerator
from moderation.settings import Settings
from tests.conftest import Api
from tests.past import keep_alarm

PATH = "/api/v1/models"
NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def scorer(settings: Settings) -> Scorer:
    """The real one, in place of the fake."""
    return open_scorer(settings)


@pytest.fixture(scope="module")
def loaded() -> Classifier:
    """The shipped model, loaded once."""
    return load_shipped()


@pytest.fixture
def registry(scorer: Scorer, loaded: Classifier) -> Registry:
    """The installation's models: the shipped one and one made from it."""
    scorer.registry.add(
        Classifier(loaded.network, {**loaded.card, "version": "v-2", "parent": loaded.version})
    )
    return scorer.registry


def test_a_new_installation_has_the_shipped_model_in_force(api: Api, carla: NewModerator) -> None:
    page = api.call("GET", PATH, carla.key).get_json()
    (model,) = page["items"]
    assert (model["version"], model["champion"]) == (shipped.VERSION, True)
    assert (model["sha256"], page["next_cursor"]) == (shipped.MODEL_SHA256, None)


def test_a_model_is_shown_with_its_card(api: Api, carla: NewModerator) -> None:
    found = api.call("GET", f"{PATH}/{shipped.VERSION}", carla.key).get_json()
    assert (found["version"], found["champion"]) == (shipped.VERSION, True)
    assert {"version", "operating_points"} <= set(found["card"])


def test_a_model_is_shown_with_its_drift(api: Api, carla: NewModerator, database: Database) -> None:
    path = f"{PATH}/{shipped.VERSION}"
    assert api.call("GET", path, carla.key).get_json()["drift"] is None
    keep_alarm(database, shipped.VERSION, NOW)
    found = api.call("GET", path, carla.key).get_json()["drift"]
    assert found["level"] == "alarm"
    assert found["told"].startswith("scores have clearly moved for spam (")
    assert found["reference"]["comments"] == 1000
    assert found["recent"] == {
        "since": "2026-10-25T00:00:00.000Z",
        "until": "2026-11-01T00:00:00.000Z",
        "comments": 500,
    }
    (spam,) = found["categories"]
    assert (spam["category"], spam["level"]) == ("spam", "alarm")
    assert spam["index"] > 0.25 > spam["chance"]
    assert found["words"]["level"] == "none"


def test_promotion_and_rollback_move_the_champion(api: Api, carla: NewModerator, registry: Registry) -> None:
    def champions() -> list[str]:
        models = api.call("GET", PATH, carla.key).get_json()["items"]
        return [model["version"] for model in models if model["champion"]]

    assert champions() == [shipped.VERSION]
    promoted = api.call("POST", f"{PATH}/v-2/promotion", carla.key)
    assert (promoted.status_code, promoted.get_json()) == (200, {"champion": "v-2"})
    assert champions() == ["v-2"]
    assert api.call("GET", f"{PATH}/v-2", carla.key).get_json()["champion"]
    back = api.call("POST", f"{PATH}/rollback", carla.key)
    assert (back.status_code, back.get_json()) == (200, {"champion": shipped.VERSION})
    assert champions() == [shipped.VERSION]


def test_a_champion_that_changed_meanwhile_is_not_overridden(
    api: Api, carla: NewModerator, registry: Registry
) -> None:
    api.call("POST", f"{PATH}/v-2/promotion", carla.key)
    for path in (f"{PATH}/{shipped.VERSION}/promotion", f"{PATH}/rollback"):
        answer = api.call("POST", f"{path}?expected={shipped.VERSION}x", carla.key)
        assert answer.status_code == 409
        assert answer.get_json()["type"].endswith("champion-changed")
    assert registry.champion() == "v-2"
    assert api.call("POST", f"{PATH}/rollback?expected=v-2", carla.key).status_code == 200
    assert registry.champion() == shipped.VERSION


def test_who_changed_the_champion_is_on_record(api: Api, carla: NewModerator, registry: Registry) -> None:
    api.call("POST", f"{PATH}/v-2/promotion", carla.key)
    api.call("POST", f"{PATH}/rollback", carla.key)
    lines = api.call("GET", "/api/v1/audit", carla.key).get_json()["items"]
    found = [(line["actor"], line["act"], line["subject"]) for line in lines[:2]]
    assert found == [
        ("Carla", "model rolled back", shipped.VERSION),
        ("Carla", "model promoted", "v-2"),
    ]


def test_a_promotion_is_taken_over_by_the_web_process(
    api: Api, carla: NewModerator, scorer: Scorer, registry: Registry
) -> None:
    assert scorer.current().version == shipped.VERSION
    api.call("POST", f"{PATH}/v-2/promotion", carla.key)
    assert scorer.score([{"body": "hello"}]).model_version == "v-2"


@pytest.mark.parametrize("version", ["v-9", "..", "%2e%2e%2fv-2", "a b"])
def test_an_unknown_version_is_404_and_names_no_folder(
    api: Api, carla: NewModerator, settings: Settings, version: str
) -> None:
    for method, path in (("GET", f"{PATH}/{version}"), ("POST", f"{PATH}/{version}/promotion")):
        answer = api.call(method, path, carla.key)
        assert (answer.status_code, answer.get_json()["type"]) == (404, "urn:greenroom:problem:not-found")
        assert str(settings.home) not in answer.text


def test_without_an_earlier_champion_there_is_nothing_to_roll_back(api: Api, carla: NewModerator) -> None:
    answer = api.call("POST", f"{PATH}/rollback", carla.key)
    assert (answer.status_code, answer.get_json()["type"]) == (
        409,
        "urn:greenroom:problem:nothing-to-roll-back",
    )


def test_a_model_whose_file_was_changed_is_neither_shown_nor_promoted(
    api: Api, carla: NewModerator, registry: Registry, settings: Settings
) -> None:
    for name in ("model.joblib", "card.json"):
        (settings.models_dir / "v-2" / name).write_bytes(b"changed")
    for method, path in (
        ("POST", f"{PATH}/v-2/promotion"),
        ("GET", f"{PATH}/v-2"),
        ("GET", PATH),
    ):
        answer = api.call(method, path, carla.key)
        assert (answer.status_code, answer.get_json()["type"]) == (
            503,
            "urn:greenroom:problem:model-unusable",
        )
        assert str(settings.home) not in answer.text
    assert registry.champion() == shipped.VERSION
