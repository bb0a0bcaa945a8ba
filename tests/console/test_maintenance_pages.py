"""Statistics for everybody; models, sites and people for maintainers."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask

from classifier import CATEGORIES, Classifier
from classifier.registry import load_shipped
from moderation.console.chart import HEIGHT, WIDTH, bars_in_pairs
from moderation.database import Database
from moderation.scoring import Scorer, open_scorer
from moderation.services.access import NewModerator, NewSite
from moderation.services.retraining import RunStatus, finish_run, request_run, take_run
from moderation.settings import Settings
from tests.conftest import Api
from tests.console.conftest import Console, Held
from tests.fakes import FakeWakeUps
from tests.past import keep_alarm


@pytest.fixture
def carlas(app: Flask, carla: NewModerator) -> Console:
    """Carla is signed in."""
    console = Console(app.test_client())
    assert console.sign_in(carla.key).status_code == 303
    return console


def test_statistics_show_who_did_what_and_a_chart_with_its_table(console: Console, held: Held) -> None:
    console.decide(held(), "reject", reason="spam")
    held("score:spam=0.7 another")
    for days in (1, 7, 30):
        page = console.get(f"/console/statistics?days={days}")
        assert '<svg class="chart"' in page and "The same as a table" in page
        assert re.search(r"<bdi>Bruno</bdi></th><td>1</td>", page)
        assert "style=" not in page
    assert console.client.get("/console/statistics?days=2").status_code == 422
    assert "Nothing came and nothing was decided." in console.get("/console/statistics?site=site_x")


def test_a_chart_stays_within_its_frame() -> None:
    from datetime import UTC, datetime, timedelta

    start = datetime(2026, 1, 1, tzinfo=UTC)
    steps = [{"at": start + timedelta(days=n), "a": n * n, "b": 3} for n in range(30)]
    chart = bars_in_pairs(steps, ("a", "b"), hourly=False)
    assert len(chart.bars) == 60 and chart.highest == 29 * 29
    for bar in chart.bars:
        assert bar.x >= 0 and bar.x + bar.width <= WIDTH and bar.y >= 0 and bar.y + bar.height <= HEIGHT
    assert bars_in_pairs([], ("a", "b"), hourly=True).bars == []


class TestModels:
    """With the real registry."""

    @pytest.fixture
    def scorer(self, settings: Settings) -> Scorer:
        return open_scorer(settings)

    def test_every_version_is_shown_and_the_one_in_force_marked(
        self, carlas: Console, scorer: Scorer
    ) -> None:
        version = scorer.registry.champion()
        page = carlas.get("/console/models")
        assert version in page and "in force" in page and "shipped" in page
        page = carlas.get(f"/console/models/{version}")
        assert "Held from" in page and "Put this version in force" not in page
        assert carlas.client.get("/console/models/nonsense").status_code == 404

    def test_what_another_version_would_do_is_shown_before_it_is_put_in_force(
        self, carlas: Console, scorer: Scorer, api: Api, alma: NewSite, drain: Callable[[], int]
    ) -> None:
        loaded = load_shipped()
        strict = {c: {side: {"threshold": 0.0} for side in ("hold", "reject")} for c in CATEGORIES}
        card = {**loaded.card, "version": "strict", "operating_points": strict}
        scorer.registry.add(Classifier(loaded.network, card))
        api.hand_in(alma, "Thank you for this, it was a joy to read.")
        drain()
        page = carlas.get("/console/models/strict")
        assert "What it would do" in page and "rightly" not in page
        page = carlas.get(f"/console/models/strict?site={alma.site_id}")
        assert "1 approved to rejected" in page and "Nothing is changed." in page
        assert "Published without a person, now: no labels tell how rightly." in page
        assert scorer.registry.champion() == loaded.version
        assert carlas.client.get("/console/models/strict?site=site_x").status_code == 404

    def test_a_version_is_sent_into_the_shadow_and_taken_out_again(
        self, carlas: Console, scorer: Scorer, database: Database
    ) -> None:
        loaded = load_shipped()
        for version in ("v-2", "v-3"):
            scorer.registry.add(Classifier(loaded.network, {**loaded.card, "version": version}))
        path = "/console/models/v-2/shadow"
        assert "Let it score in the shadow" in carlas.get("/console/models/v-2")
        page = carlas.follow(carlas.send(path, action="begin"))
        assert "decides nothing" in page and "No comment came yet." in page and "End it" in page
        second = carlas.send("/console/models/v-3/shadow", action="begin")
        assert (second.status_code, "a model scores in the shadow already" in second.text) == (409, True)
        page = carlas.follow(carlas.send(path, action="end"))
        assert "by hand" in page and "Let it score in the shadow" in page
        assert carlas.send(path, action="end").status_code == 404

    def test_the_gate_a_version_met_is_told_and_drawn(
        self, carlas: Console, scorer: Scorer, database: Database
    ) -> None:
        loaded = load_shipped()
        scorer.registry.add(
            Classifier(loaded.network, {**loaded.card, "version": "v-2", "parent": loaded.version})
        )
        assert "Against the champion it met" not in carlas.get("/console/models/v-2")
        gain = {
            "overall": {"mean": 0.02, "low": 0.01, "high": 0.03},
            "spam": {"mean": -0.01, "low": -0.03, "high": -0.005},
        }
        with database.write() as session:
            run_id = request_run(session, "Carla", datetime.now(UTC)).id
            take_run(session, run_id, datetime.now(UTC))
            ended = {
                "label_count": 60,
                "champion": loaded.version,
                "challenger": "v-2",
                "metrics": {"gain": gain},
            }
            finish_run(session, run_id, RunStatus.KEPT, "Worse in spam.", datetime.now(UTC), **ended)
        page = carlas.get("/console/models/v-2")
        assert "Against the champion it met" in page and "Worse in spam." in page
        assert '<rect class="good" x="66.67" width="33.33"' in page
        assert '<rect class="bad" x="0.0" width="41.67"' in page
        assert "between +0.010 and +0.030" in page

    def test_drift_of_the_model_in_force_is_told(
        self, carlas: Console, scorer: Scorer, database: Database
    ) -> None:
        assert "Drift" not in carlas.get("/console/models")
        keep_alarm(database, scorer.registry.champion(), datetime.now(UTC))
        assert "Drift: scores have clearly moved for spam (" in carlas.get("/console/models")

    def test_retraining_is_queued_once_and_watched(self, carlas: Console, wake_ups: FakeWakeUps) -> None:
        page = carlas.follow(carlas.send("/console/models/retraining"))
        assert "A run is queued." in page and "data-reload" in page
        assert len(wake_ups.runs) == 1
        again = carlas.send("/console/models/retraining")
        assert (again.status_code, "under way already" in again.text) == (409, True)

    def test_a_champion_that_changed_meanwhile_is_not_overridden(self, carlas: Console) -> None:
        answer = carlas.send("/console/models/rollback", expected="somebody-elses")
        assert (answer.status_code, "Nothing was changed" in answer.text) == (409, True)

    def test_without_an_earlier_model_there_is_nothing_to_roll_back(self, carlas: Console) -> None:
        answer = carlas.send("/console/models/rollback")
        assert (answer.status_code, "No other model" in answer.text) == (409, True)
        assert carlas.send("/console/models/nonsense/promotion").status_code == 404


def policy_fields(page: str) -> dict[str, str]:
    """The policy's form as a browser would send it back."""
    form = page.split('class="policy"', 1)[1].split("</form>", 1)[0]
    found = dict(
        re.findall(r'<input (?:type="hidden" )?(?:id="[^"]*" )?name="([^"]+)"[^>]* value="([^"]*)"', form)
    )
    found |= dict(re.findall(r'<textarea [^>]*name="([^"]+)"[^>]*>([^<]*)<', form))
    found |= dict.fromkeys(re.findall(r'type="checkbox" id="([^"]+)"[^>]*checked', form), "yes")
    found |= dict(re.findall(r'<select id="(mode)".*?value="([^"]+)" selected', form, re.DOTALL))
    return found | {"token": ""}


def test_a_policy_is_previewed_then_saved(
    api: Api, alma: NewSite, carlas: Console, held: Held, carla: NewModerator
) -> None:
    held("score:spam=0.70 hello")
    path = f"/console/sites/{alma.site_id}"
    fields = policy_fields(carlas.get(path))
    fields.pop("token")
    assert (fields["mode"], fields["link_limit"], fields["trust_roles"]) == ("automatic", "3", "yes")
    changed = fields | {"hold-spam": "0.3", "reject-spam": "0.6", "blocked_words": "casino\npoker"}
    preview = carlas.send(f"{path}/policy", **changed, action="preview")
    assert preview.status_code == 200
    assert "1 held to rejected" in preview.text and "Nothing is saved yet" in preview.text
    assert 'name="hold-spam" inputmode="decimal" value="0.3"' in preview.text
    assert api.call("GET", f"/api/v1/sites/{alma.site_id}/policy", carla.key).get_json()["version"] == 1
    page = carlas.follow(carlas.send(f"{path}/policy", **changed, action="save"))
    assert "The new policy is in force." in page
    stored = api.call("GET", f"/api/v1/sites/{alma.site_id}/policy", carla.key).get_json()
    assert stored["settings"]["thresholds"] == {"spam": {"hold": 0.3, "reject": 0.6}}
    assert stored["settings"]["blocked_words"] == ["casino", "poker"]
    stale = carlas.send(f"{path}/policy", **changed, action="save")
    assert (stale.status_code, "Somebody changed the policy meanwhile" in stale.text) == (412, True)


def test_what_is_saved_unchanged_means_the_same(
    api: Api, alma: NewSite, carlas: Console, carla: NewModerator
) -> None:
    path, policy = f"/console/sites/{alma.site_id}", f"/api/v1/sites/{alma.site_id}/policy"
    before = api.call("GET", policy, carla.key).get_json()["settings"]
    fields = policy_fields(carlas.get(path))
    fields.pop("token")
    carlas.send(f"{path}/policy", **fields, action="save")
    assert api.call("GET", policy, carla.key).get_json() == {"version": 2, "settings": before}


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("link_limit", "many", "Links allowed"),
        ("link_limit", "-1", "Links allowed"),
        ("mode", "never", "Choose who decides"),
        ("hold-spam", "2", "spam: a score is a number from 0 to 1"),
        ("reject-threat", "0.5", "threat: a score to reject from needs one to hold from"),
        ("memory_days", "400", "memory_days"),
    ],
)
def test_a_setting_that_cannot_be_is_told_and_what_was_typed_stays(
    alma: NewSite, carlas: Console, name: str, text: str, told: str
) -> None:
    path = f"/console/sites/{alma.site_id}"
    fields = policy_fields(carlas.get(path)) | {name: text, "blocked_words": "kept"}
    fields.pop("token")
    for action in ("preview", "save"):
        answer = carlas.send(f"{path}/policy", **fields, action=action)
        assert answer.status_code == 422
        assert told in answer.text and ">kept</textarea>" in answer.text


def test_an_earlier_policy_is_put_in_force_again(
    api: Api, alma: NewSite, carlas: Console, carla: NewModerator
) -> None:
    path, policy = f"/console/sites/{alma.site_id}", f"/api/v1/sites/{alma.site_id}/policy"
    first = api.call("GET", policy, carla.key).get_json()["settings"]
    headers = {"If-Match": '"1"'}
    api.call(
        "PUT", policy, carla.key, json={"settings": {"link_limit": 0, "memory_days": 7}}, headers=headers
    )
    page = carlas.follow(carlas.send(f"{path}/policy/1"))
    assert "The earlier policy is in force again." in page
    assert api.call("GET", policy, carla.key).get_json() == {"version": 3, "settings": first}
    assert carlas.send(f"{path}/policy/77").status_code == 404


def test_a_sites_keys_are_made_and_revoked(api: Api, alma: NewSite, carlas: Console) -> None:
    path = f"/console/sites/{alma.site_id}"
    page = carlas.send(f"{path}/keys", kind="site_secret").text
    new = re.search(r'class="digest">(gr_secret_[\w-]+)<', page)
    assert new is not None
    body = {"thread": {"id": "t"}, "author": {"name": "R"}, "body": "hello"}
    assert api.call("POST", "/api/v1/comments", new[1], json=body).status_code == 202
    assert new[1] not in carlas.get(path)
    revoke = re.search(r'action="([^"]+/revocation)"', page)
    assert revoke is not None
    assert "The key is revoked." in carlas.follow(carlas.send(revoke[1]))
    assert carlas.send(f"{path}/keys", kind="moderator").status_code == 422


def test_a_site_is_made_with_its_keys_shown_once(api: Api, carlas: Console) -> None:
    page = carlas.send(
        "/console/sites", name="A second blog", origins="https://b.example\nhttps://c.example"
    ).text
    key = re.search(r"gr_secret_[\w-]+", page)
    assert key is not None and "shown this once" in page
    assert key[0] not in carlas.get("/console/sites")
    assert carlas.send("/console/sites", name=" ").status_code == 422
    assert carlas.send("/console/sites", name="x", origins="no-origin").status_code == 422


def test_people_come_change_and_go(api: Api, app: Flask, carlas: Console, bruno: NewModerator) -> None:
    page = carlas.send("/console/people", name="Nina <b>", role="moderator").text
    key = re.search(r"gr_mod_[\w-]+", page)
    assert key is not None and "Nina &lt;b&gt;" in page
    newcomer = Console(app.test_client())
    assert newcomer.sign_in(key[0]).status_code == 303
    assert carlas.send("/console/people", name="Nina <b>", role="moderator").status_code == 409
    path = f"/console/people/{bruno.moderator_id}"
    assert carlas.send(path, act="role", role="maintainer").status_code == 303
    assert carlas.send(path, act="disable").status_code == 303
    assert api.call("GET", "/api/v1/queue", bruno.key).status_code == 401
    assert carlas.send(path, act="enable").status_code == 303
    assert carlas.send(path, act="nonsense").status_code == 422
    assert carlas.send(path, act="role", role="king").status_code == 422
    acts = carlas.get("/console/people")
    assert "role changed" in acts and "disabled" in acts and "enabled" in acts


def test_the_last_maintainer_is_told_why_they_stay(carlas: Console, carla: NewModerator) -> None:
    answer = carlas.send(f"/console/people/{carla.moderator_id}", act="disable")
    assert (answer.status_code, "is the last maintainer" in answer.text) == (409, True)


def test_a_persons_key_is_revoked_and_another_given(
    api: Api, database: Database, carlas: Console, bruno: NewModerator
) -> None:
    page = carlas.send(f"/console/people/{bruno.moderator_id}/keys").text
    assert re.search(r"gr_mod_[\w-]+", page)
    part = page.split(f"person-{bruno.moderator_id}", 1)[1]
    revoke = re.search(r'action="([^"]+/revocation)"', part)
    assert revoke is not None
    assert carlas.send(revoke[1]).status_code == 303
    assert api.call("GET", "/api/v1/queue", bruno.key).status_code == 401
