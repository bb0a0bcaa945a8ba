"""/api/v1/moderators, /api/v1/keys and /api/v1/audit"""

from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from werkzeug.test import TestResponse

from moderation.database import Database
from moderation.models import Role
from moderation.services.access import NewModerator, NewSite
from moderation.services.errors import NotAllowed
from moderation.services.people import disable
from tests.conftest import Api, make_moderator
from tests.together import together

PATH = "/api/v1/moderators"


def people(api: Api, who: NewModerator) -> dict[str, dict[str, Any]]:
    answer = api.call("GET", PATH, who.key)
    assert answer.status_code == 200, answer.text
    return {one["name"]: one for one in answer.get_json()["items"]}


def change(api: Api, who: NewModerator, person: NewModerator, **sent: Any) -> TestResponse:
    return api.call("PATCH", f"{PATH}/{person.moderator_id}", who.key, json=sent)


def audit(api: Api, who: NewModerator) -> list[tuple[str, str, str]]:
    items = api.call("GET", "/api/v1/audit", who.key).get_json()["items"]
    return [(one["actor"], one["act"], one["subject"]) for one in items]


def test_who_is_let_in_gets_a_key_that_works(api: Api, carla: NewModerator) -> None:
    answer = api.call("POST", PATH, carla.key, json={"name": "Nina", "role": "moderator"})
    assert answer.status_code == 201
    assert api.call("GET", "/api/v1/queue", answer.get_json()["key"]).status_code == 200
    assert people(api, carla)["Nina"]["role"] == "moderator"
    again = api.call("POST", PATH, carla.key, json={"name": "Nina"})
    assert (again.status_code, again.get_json()["type"]) == (409, "urn:greenroom:problem:name-taken")


def test_who_is_disabled_is_out_at_once_and_comes_back_with_the_same_key(
    api: Api, bruno: NewModerator, carla: NewModerator
) -> None:
    assert change(api, carla, bruno, disabled=True).get_json()["disabled_at"]
    assert api.call("GET", "/api/v1/queue", bruno.key).status_code == 401
    assert change(api, carla, bruno, disabled=False).get_json()["disabled_at"] is None
    assert api.call("GET", "/api/v1/queue", bruno.key).status_code == 200


def test_a_role_changes_what_one_may_do(api: Api, bruno: NewModerator, carla: NewModerator) -> None:
    assert api.call("GET", PATH, bruno.key).status_code == 403
    assert change(api, carla, bruno, role="maintainer").status_code == 200
    assert api.call("GET", PATH, bruno.key).status_code == 200


@pytest.mark.parametrize("sent", [{"disabled": True}, {"role": "moderator"}])
def test_the_last_maintainer_stays(
    api: Api, bruno: NewModerator, carla: NewModerator, sent: dict[str, Any]
) -> None:
    assert change(api, carla, carla, **sent).status_code == 409
    change(api, carla, bruno, role="maintainer")
    assert change(api, bruno, carla, **sent).status_code == 200
    assert change(api, bruno, bruno, **sent).status_code == 409


def test_of_two_maintainers_who_let_each_other_out_at_once_one_stays(database: Database) -> None:
    both = [make_moderator(database, name, Role.MAINTAINER) for name in ("A", "B")]

    def let_out(person: NewModerator) -> None:
        with database.write() as session:
            disable(session, person.moderator_id, "the other", datetime.now(UTC))

    results = together([partial(let_out, person) for person in both])
    assert [isinstance(result, NotAllowed) for result in results].count(True) == 1


def test_a_key_is_revoked_by_a_part_of_its_digest(api: Api, bruno: NewModerator, carla: NewModerator) -> None:
    (old,) = people(api, carla)["Bruno"]["keys"]
    new = api.call("POST", f"{PATH}/{bruno.moderator_id}/keys", carla.key).get_json()["key"]
    assert api.call("DELETE", f"/api/v1/keys/{old['key_id']}", carla.key).get_json()["revoked_at"]
    assert api.call("GET", "/api/v1/queue", bruno.key).status_code == 401
    assert api.call("GET", "/api/v1/queue", new).status_code == 200


def test_the_last_key_of_the_last_maintainer_stays(api: Api, carla: NewModerator) -> None:
    (key,) = people(api, carla)["Carla"]["keys"]
    assert api.call("DELETE", f"/api/v1/keys/{key['key_id']}", carla.key).status_code == 409
    api.call("POST", f"{PATH}/{carla.moderator_id}/keys", carla.key)
    assert api.call("DELETE", f"/api/v1/keys/{key['key_id']}", carla.key).status_code == 200


@pytest.mark.parametrize("key_id", ["x", "%25", "____________", "0" * 12, "0" * 64])
def test_an_unknown_key_is_not_found(api: Api, carla: NewModerator, key_id: str) -> None:
    assert api.call("DELETE", f"/api/v1/keys/{key_id}", carla.key).status_code == 404


def test_an_unknown_person_is_not_found(api: Api, carla: NewModerator) -> None:
    nobody = NewModerator("mod_x", "")
    assert change(api, carla, nobody, disabled=True).status_code == 404
    assert api.call("POST", f"{PATH}/mod_x/keys", carla.key).status_code == 404


def test_what_cannot_be_used_is_refused(api: Api, bruno: NewModerator, carla: NewModerator) -> None:
    assert change(api, carla, bruno, role="king").status_code == 422
    assert change(api, carla, bruno, disabled="yes").status_code == 422
    assert api.call("POST", PATH, carla.key, json={"name": " "}).status_code == 422


def test_every_act_is_recorded_and_no_secret(
    api: Api, alma: NewSite, bruno: NewModerator, carla: NewModerator
) -> None:
    change(api, carla, bruno, role="maintainer")
    change(api, carla, bruno, disabled=True)
    key = api.call("POST", f"{PATH}/{bruno.moderator_id}/keys", carla.key).get_json()["key"]
    headers = {"If-Match": '"1"'}
    path = f"/api/v1/sites/{alma.site_id}/policy"
    api.call("PUT", path, carla.key, json={"settings": {"link_limit": 1}}, headers=headers)
    assert audit(api, carla) == [
        ("Carla", "policy changed", "Alma's blog"),
        ("Carla", "key made", "Bruno"),
        ("Carla", "disabled", "Bruno"),
        ("Carla", "role changed", "Bruno"),
    ]
    assert key not in api.call("GET", "/api/v1/audit", carla.key).text
