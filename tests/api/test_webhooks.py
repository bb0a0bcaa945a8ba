"""/api/v1/webhook-endpoints and deliveries: made by maintainers, the secret shown once, paged, replayed"""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from moderation.database import Database
from moderation.domain.webhooks import Event
from moderation.models import WebhookDelivery
from moderation.services.access import NewModerator, NewSite
from moderation.services.audit import latest_acts
from moderation.services.webhook_outbox import LARGEST_BODY, event_body, tell_promoted
from moderation.services.webhooks import REPLAYED
from tests.conftest import Api

PATH = "/api/v1/webhook-endpoints"
URL = "https://blog.example.org/hook"
DOCS = Path(__file__).parents[2] / "docs" / "webhooks.md"


def add(api: Api, who: NewModerator, site: NewSite, **more: Any) -> dict[str, Any]:
    data = {"site_id": site.site_id, "url": URL, "events": [event.value for event in Event]} | more
    answer = api.call("POST", PATH, who.key, json=data)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.get_json()
    return made


def test_the_secret_is_shown_when_made_and_never_again(
    api: Api, alma: NewSite, carla: NewModerator, database: Database
) -> None:
    made = add(api, carla, alma)
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", made["secret"])
    shown = api.call("GET", f"{PATH}/{made['id']}", carla.key)
    listed = api.call("GET", PATH, carla.key)
    assert "secret" not in shown.get_json()
    assert made["secret"] not in shown.text + listed.text
    with database.read() as session:
        row = str(session.execute(text("SELECT * FROM webhook_endpoints")).all())
    assert made["secret"].removeprefix("whsec_") not in row


def test_a_rotation_shows_another_secret_and_how_long_the_one_before_signs(
    api: Api, alma: NewSite, carla: NewModerator
) -> None:
    made = add(api, carla, alma)
    answer = api.call("POST", f"{PATH}/{made['id']}/secret", carla.key, json={"hours": 1}).get_json()
    assert answer["secret"] != made["secret"]
    assert answer["previous_until"] is not None


@pytest.mark.parametrize(
    "change",
    [
        {"url": "http://127.0.0.1/"},
        {"url": "https://a:b@example.org/"},
        {"url": "ftp://example.org"},
        {"events": ["comment.liked"]},
        {"events": []},
        {"made_up": 1},
    ],
)
def test_what_cannot_be_is_refused(
    api: Api, alma: NewSite, carla: NewModerator, change: dict[str, Any]
) -> None:
    data = {"site_id": alma.site_id, "url": URL, "events": ["comment.held"]} | change
    assert api.call("POST", PATH, carla.key, json=data).status_code == 422
    made = add(api, carla, alma)
    assert api.call("PATCH", f"{PATH}/{made['id']}", carla.key, json=change).status_code == 422


def test_only_maintainers_may(api: Api, alma: NewSite, bruno: NewModerator, carla: NewModerator) -> None:
    assert api.call("GET", PATH).status_code == 401
    assert api.call("GET", PATH, bruno.key).status_code == 403
    assert api.call("GET", f"{PATH}/whe_none", carla.key).status_code == 404
    data = {"site_id": "site_none", "url": URL, "events": ["comment.held"]}
    assert api.call("POST", PATH, carla.key, json=data).status_code == 404
    assert api.call("POST", "/api/v1/webhook-deliveries/none/replay", carla.key).status_code == 404


def test_endpoints_come_in_pages_and_can_be_changed_and_removed(
    api: Api, alma: NewSite, carla: NewModerator
) -> None:
    ids = [add(api, carla, alma)["id"] for _ in range(3)]
    first = api.call("GET", f"{PATH}?limit=2&site={alma.site_id}", carla.key).get_json()
    cursor = first["next_cursor"]
    second = api.call("GET", f"{PATH}?limit=2&site={alma.site_id}&cursor={cursor}", carla.key).get_json()
    assert [one["id"] for one in first["items"] + second["items"]] == ids
    assert second["next_cursor"] is None
    changed = api.call("PATCH", f"{PATH}/{ids[0]}", carla.key, json={"enabled": False}).get_json()
    assert (changed["enabled"], changed["url"]) == (False, URL)
    assert api.call("DELETE", f"{PATH}/{ids[0]}", carla.key).status_code == 204
    assert api.call("GET", f"{PATH}/{ids[0]}", carla.key).status_code == 404


def test_deliveries_are_listed_newest_first_and_one_can_be_replayed(
    api: Api, alma: NewSite, carla: NewModerator, database: Database
) -> None:
    made = add(api, carla, alma)
    with database.write() as session:
        for version in ("v-1", "v-2", "v-3"):
            tell_promoted(session, version, "promotion", datetime.now(UTC))
        dead = session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.id)).first()
        assert dead is not None
        dead.status, dead.attempts, dead.finished_at = "dead", 10, datetime.now(UTC)
    path = f"{PATH}/{made['id']}/deliveries"
    first = api.call("GET", f"{path}?limit=2", carla.key).get_json()
    second = api.call("GET", f"{path}?limit=2&cursor={first['next_cursor']}", carla.key).get_json()
    shown = first["items"] + second["items"]
    assert [one["id"] for one in shown] == sorted((one["id"] for one in shown), reverse=True)
    (given_up,) = api.call("GET", f"{path}?status=dead", carla.key).get_json()["items"]
    answer = api.call("POST", f"/api/v1/webhook-deliveries/{given_up['id']}/replay", carla.key)
    assert (answer.status_code, answer.get_json()["status"]) == (202, "waiting")
    assert answer.get_json()["attempts"] == 0
    with database.read() as session:
        (line,) = latest_acts(session, subject=made["id"])
    assert (line.actor, line.act, line.details) == ("Carla", REPLAYED, {"delivery": given_up["id"]})


def test_a_body_stays_under_the_limit_whatever_the_text() -> None:
    body = event_body(Event.HELD, {"comment_id": "c", "body": "\N{FIRE}" * 20_000}, datetime.now(UTC))
    assert len(body.encode()) < LARGEST_BODY


def test_the_document_tells_every_event() -> None:
    told = re.findall(r"^\| `([a-z]+\.[a-z]+)` \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert told == [event.value for event in Event]
