"""/api/v1/sites: sites, their policies and keys"""

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from moderation.database import Database
from moderation.services.access import NewModerator, NewSite
from tests.conftest import Api, make_site

PATH = "/api/v1/sites"
Drain = Callable[[], int]


def put_policy(
    api: Api, who: NewModerator, site: NewSite, version: int | None, **settings: Any
) -> TestResponse:
    headers = {} if version is None else {"If-Match": f'"{version}"'}
    path = f"{PATH}/{site.site_id}/policy"
    return api.call("PUT", path, who.key, json={"settings": settings}, headers=headers)


def preview(api: Api, who: NewModerator, site: NewSite, **settings: Any) -> dict[str, Any]:
    path = f"{PATH}/{site.site_id}/policy/preview"
    answer = api.call("POST", path, who.key, json={"settings": settings})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def test_a_new_sites_keys_work_at_once(api: Api, carla: NewModerator) -> None:
    answer = api.call("POST", PATH, carla.key, json={"name": "B", "allowed_origins": ["https://b.example/"]})
    assert answer.status_code == 201
    made = NewSite(**answer.get_json())
    api.hand_in(made)
    listed = api.call("GET", PATH, carla.key).get_json()["items"]
    assert [(one["name"], one["allowed_origins"]) for one in listed] == [("B", ["https://b.example"])]


@pytest.mark.parametrize(
    "sent", [{}, {"name": ""}, {"name": "B", "allowed_origins": ["b.example"]}, {"name": "B", "x": 1}]
)
def test_a_site_that_cannot_be_made_says_why(api: Api, carla: NewModerator, sent: dict[str, Any]) -> None:
    answer = api.call("POST", PATH, carla.key, json=sent)
    assert answer.status_code == 422
    assert answer.get_json()["errors"]


def test_a_policy_is_changed_by_whoever_saw_the_one_in_force(
    api: Api, alma: NewSite, carla: NewModerator
) -> None:
    seen = api.call("GET", f"{PATH}/{alma.site_id}/policy", carla.key)
    assert (seen.headers["ETag"], seen.get_json()["settings"]["link_limit"]) == ('"1"', 3)
    changed = put_policy(api, carla, alma, 1, link_limit=0, mode="hold_everything")
    assert changed.status_code == 200
    assert changed.get_json()["version"] == 2
    assert changed.get_json()["settings"]["mode"] == "hold_everything"
    stale = put_policy(api, carla, alma, 1, link_limit=9)
    assert (stale.status_code, stale.get_json()["current_version"]) == (412, 2)
    assert put_policy(api, carla, alma, None, link_limit=9).status_code == 428


@pytest.mark.parametrize(
    "changes",
    [
        {"no_such": 1},
        {"link_limit": -1},
        {"link_limit": "many"},
        {"mode": "never"},
        {"thresholds": {"spam": {"hold": 2}}},
        {"thresholds": {"nonsense": {"hold": 0.5}}},
        {"thresholds": {"spam": {"hold": 0.9, "reject": 0.5}}},
        {"thresholds": {"spam": 0.5}},
        {"thresholds": 7},
        {"thresholds": {"spam": {"hold": "x"}}},
        {"blocked_words": 7},
    ],
)
def test_a_setting_that_cannot_be_used_changes_nothing_and_says_why(
    api: Api, alma: NewSite, carla: NewModerator, changes: dict[str, Any]
) -> None:
    for answer in (
        put_policy(api, carla, alma, 1, **changes),
        api.call("POST", f"{PATH}/{alma.site_id}/policy/preview", carla.key, json={"settings": changes}),
    ):
        assert answer.status_code == 422, answer.text
        assert answer.get_json()["errors"][0]["pointer"].startswith("/settings")
    assert api.call("GET", f"{PATH}/{alma.site_id}/policy", carla.key).get_json()["version"] == 1


def test_a_preview_tells_who_would_fare_otherwise_and_changes_nothing(
    api: Api, alma: NewSite, carla: NewModerator, drain: Drain
) -> None:
    fine, likely, sure = (
        api.hand_in(alma, f"score:spam={score}")["id"] for score in ("0.10", "0.40", "0.70")
    )
    drain()
    found = preview(api, carla, alma, thresholds={"spam": {"hold": 0.3, "reject": 0.6}})
    assert found["replayed"] == 3
    assert found["now"] == {"approved": 2, "held": 1, "rejected": 0}
    assert found["then"] == {"approved": 1, "held": 1, "rejected": 1}
    assert found["changes"] == {"approved to held": 1, "held to rejected": 1}
    fates = {one["comment_id"]: (one["before"], one["after"]) for one in found["sample"]}
    assert fates == {likely: ("approved", "held"), sure: ("held", "rejected")}
    assert [api.fate(alma, one)[0] for one in (fine, likely, sure)] == ["approved", "approved", "held"]


def test_the_policy_in_force_would_change_nothing(
    api: Api, alma: NewSite, carla: NewModerator, drain: Drain
) -> None:
    for n in range(4):
        api.hand_in(alma, f"score:spam=0.{n}5 the same text {n} www.a.example www.b.example")
    drain()
    found = preview(api, carla, alma)
    assert (found["changes"], found["sample"]) == ({}, [])
    assert found["now"] == found["then"]


def test_what_a_repeat_was_found_by_then_stays_found(
    api: Api, alma: NewSite, bruno: NewModerator, carla: NewModerator, drain: Drain
) -> None:
    for n in range(3):
        api.hand_in(alma, "the very same words again", author={"name": f"R{n}"})
        drain()
    found = preview(api, carla, alma, link_limit=100)
    assert found["then"]["held"] == found["now"]["held"] == len(api.queue(bruno))


def test_a_site_without_comments_has_no_effect_to_tell(api: Api, alma: NewSite, carla: NewModerator) -> None:
    found = preview(api, carla, alma, mode="hold_everything")
    assert (found["replayed"], found["held_a_day_then"]) == (0, 0.0)


def test_a_new_key_is_good_beside_the_old_one_until_that_is_revoked(
    api: Api, alma: NewSite, carla: NewModerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"{PATH}/{alma.site_id}/keys"
    (old,) = [k for k in api.call("GET", path, carla.key).get_json()["items"] if k["kind"] == "site_secret"]
    new = api.call("POST", path, carla.key, json={"kind": "site_secret"}).get_json()["key"]
    body = {"thread": {"id": "t"}, "author": {"name": "R"}, "body": "hello"}
    assert api.call("POST", "/api/v1/comments", new, json=body).status_code == 202
    assert api.call("DELETE", f"/api/v1/keys/{old['key_id']}", carla.key).status_code == 200
    revoked = [k["revoked_at"] for k in api.call("GET", path, carla.key).get_json()["items"]]
    assert len(revoked) == 4 and sum(at is not None for at in revoked) == 1
    assert api.call("POST", "/api/v1/comments", alma.secret_key, json=body).status_code == 401
    assert api.call("POST", "/api/v1/comments", new, json=body).status_code == 202


@pytest.mark.parametrize(("kind", "length"), [("site_public", 32), ("site_akismet", 12)])
def test_every_kind_of_a_sites_key_can_be_made(
    api: Api, alma: NewSite, carla: NewModerator, kind: str, length: int
) -> None:
    answer = api.call("POST", f"{PATH}/{alma.site_id}/keys", carla.key, json={"kind": kind})
    assert answer.status_code == 201
    assert abs(len(answer.get_json()["key"]) - length) <= 2
    wrong = api.call("POST", f"{PATH}/{alma.site_id}/keys", carla.key, json={"kind": "moderator"})
    assert wrong.status_code == 422


@pytest.mark.parametrize("what", ["policy", "keys"])
def test_an_unknown_site_is_not_found(api: Api, carla: NewModerator, what: str) -> None:
    assert api.call("GET", f"{PATH}/site_x/{what}", carla.key).status_code == 404


def test_one_sites_comments_are_not_replayed_for_another(
    api: Api, database: Database, alma: NewSite, carla: NewModerator, drain: Drain
) -> None:
    api.hand_in(alma, "score:spam=0.7")
    drain()
    assert preview(api, carla, make_site(database))["replayed"] == 0
