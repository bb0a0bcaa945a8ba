"""POST /api/v1/models/{version}/preview and `greenroom what-if`: what another model would do"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from click.testing import CliRunner

from moderation import model_trial
from moderation.database import Database
from moderation.services.access import NewModerator, NewSite
from moderation.services.policies import change_policy
from moderation.settings import Settings
from tests.conftest import SECRET, Api, make_site
from tests.fakes import FakeScorer
from workers.cli import main, what_if_command

Drain = Callable[[], int]


@pytest.fixture
def scorer() -> FakeScorer:
    """Beside the model in force there is one that sees less in everything."""
    made = FakeScorer()
    made.versions["milder"] = 0.6
    return made


def preview(api: Api, who: NewModerator, site: NewSite, **more: Any) -> dict[str, Any]:
    data = {"site_id": site.site_id} | more
    answer = api.call("POST", "/api/v1/models/milder/preview", who.key, json=data)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def test_it_tells_who_would_fare_otherwise_and_changes_nothing(
    api: Api, alma: NewSite, carla: NewModerator, drain: Drain
) -> None:
    bodies = ("fine", "score:spam=0.6 doubtful", "score:spam=0.95 clear")
    fine, doubtful, clear = (api.hand_in(alma, body)["id"] for body in bodies)
    drain()
    found = preview(api, carla, alma)
    effect = found["effect"]
    assert (found["champion"], found["model_version"]) == ("fake-1", "milder")
    assert effect["now"] == {"approved": 1, "held": 1, "rejected": 1}
    assert effect["then"] == {"approved": 2, "held": 1, "rejected": 0}
    assert effect["changes"] == {"held to approved": 1, "rejected to held": 1}
    assert (effect["held_a_day_now"], effect["held_a_day_then"]) == (1.0, 1.0)
    fates = {one["comment_id"]: (one["before"], one["after"]) for one in effect["sample"]}
    assert fates == {doubtful: ("held", "approved"), clear: ("rejected", "held")}
    assert [api.fate(alma, one)[0] for one in (fine, doubtful, clear)] == ["approved", "held", "rejected"]


def test_labels_tell_how_right_both_are(
    api: Api, alma: NewSite, bruno: NewModerator, carla: NewModerator, drain: Drain
) -> None:
    for n in range(4):
        api.hand_in(alma, f"score:spam=0.6 number {n}")
    drain()
    for n, item in enumerate(api.queue(bruno)):
        api.decide(bruno, item, "approve" if n else "reject")
    found = preview(api, carla, alma)
    nothing = {"labelled": 0, "wrong": 0, "share": None, "low": None, "high": None}
    assert found["labelled"] == 4
    assert found["right_now"] == {"published": nothing, "rejected": nothing}
    published = found["right_then"]["published"]
    assert (published["labelled"], published["wrong"], published["share"]) == (4, 1, 0.75)
    assert published["low"] < 0.3 < 0.98 < published["high"]


def test_the_model_in_force_judges_comments_of_an_earlier_model_anew(
    api: Api, alma: NewSite, carla: NewModerator, drain: Drain, scorer: FakeScorer
) -> None:
    scorer.version = "milder"
    api.hand_in(alma, "score:spam=0.6 doubtful")
    drain()
    scorer.version = "fake-1"
    assert preview(api, carla, alma)["effect"]["changes"] == {"held to approved": 1}


def test_promises_count_as_far_as_each_model_proves_them(
    api: Api, alma: NewSite, bruno: NewModerator, carla: NewModerator, drain: Drain, database: Database
) -> None:
    for n in range(60):
        api.hand_in(alma, f"score:spam=0.6 words of number {n}")
    drain()
    for item in api.queue(bruno, "?limit=100"):
        api.decide(bruno, item, "approve")
    api.hand_in(alma, "score:spam=0.4 another")
    drain()
    with database.write() as session:
        promise = {"promises": {"spam": {"publish": 0.9}}}
        change_policy(session, alma.site_id, promise, datetime.now(UTC))
    effect = preview(api, carla, alma)["effect"]
    # Both have their sixty labels, each on its own scores.
    assert effect["now"]["approved"] == effect["then"]["approved"] == 61


def test_a_comment_the_model_fails_on_would_be_held_and_no_other(
    api: Api, alma: NewSite, carla: NewModerator, drain: Drain
) -> None:
    api.hand_in(alma, "fine")
    api.hand_in(alma, "poison")
    drain()
    assert preview(api, carla, alma)["effect"]["then"] == {"approved": 1, "held": 1, "rejected": 0}


def test_a_site_without_comments_has_no_effect_to_tell(
    api: Api, alma: NewSite, carla: NewModerator, drain: Drain, database: Database
) -> None:
    api.hand_in(alma, "score:spam=0.6")
    drain()
    assert preview(api, carla, make_site(database))["effect"]["replayed"] == 0


def test_only_the_latest_of_many_are_replayed(
    api: Api, alma: NewSite, carla: NewModerator, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(5):
        api.hand_in(alma, f"number {n}")
    drain()
    monkeypatch.setitem(model_trial.try_model.__kwdefaults__, "most", 3)
    assert preview(api, carla, alma, days=1)["effect"]["replayed"] == 3


@pytest.mark.parametrize(
    ("version", "data", "status"),
    [
        ("nonsense", {}, 404),
        ("milder", {"site_id": "site_x"}, 404),
        ("milder", {"days": 0}, 422),
        ("milder", {"days": 91}, 422),
        ("milder", {"site_id": None}, 422),
    ],
)
def test_what_cannot_be_tried_is_refused(
    api: Api, alma: NewSite, carla: NewModerator, version: str, data: dict[str, Any], status: int
) -> None:
    path = f"/api/v1/models/{version}/preview"
    answer = api.call("POST", path, carla.key, json={"site_id": alma.site_id} | data)
    assert answer.status_code == status


def test_the_command_line_tells_the_same_without_texts(
    api: Api,
    alma: NewSite,
    bruno: NewModerator,
    drain: Drain,
    settings: Settings,
    scorer: FakeScorer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    api.hand_in(alma, "score:spam=0.6 a secret text")
    api.hand_in(alma, "score:spam=0.95 another")
    drain()
    api.decide(bruno, api.queue(bruno)[0], "approve")
    monkeypatch.setenv("GREENROOM_HOME", str(settings.home))
    monkeypatch.setenv("GREENROOM_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("GREENROOM_SECRET_KEY", SECRET)
    monkeypatch.setattr(what_if_command, "open_scorer", lambda _: scorer)
    words = ["what-if", "--site", alma.site_id, "--model", "milder"]
    told = CliRunner().invoke(main, words)
    assert told.exit_code == 0, told.output
    assert "2 comments since" in told.output and "held to approved: 1" in told.output
    assert "milder: published rightly 100.0 %" in told.output and "0 of 1 labelled were wrong" in told.output
    assert "milder: rejected without a person: no labels tell" in told.output
    facts = json.loads(CliRunner().invoke(main, [*words, "--json"]).output)
    assert facts["effect"]["changes"] == {"held to approved": 1, "rejected to held": 1}
    assert "secret" not in told.output + json.dumps(facts)
    wrong = CliRunner().invoke(main, [*words[:-1], "nonsense"])
    assert (wrong.exit_code, "nonsense" in wrong.output) == (2, True)
