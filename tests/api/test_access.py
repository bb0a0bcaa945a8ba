"""Who may call what: every route with every kind of key"""

import time
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import update

from moderation.api.service import SITE_SECONDS
from moderation.database import Database
from moderation.models import AccessKey, KeyKind, Moderator
from moderation.scoring import Scorer, open_scorer
from moderation.services.access import NewModerator, NewSite
from moderation.settings import Settings
from tests.api.routes import api_routes
from tests.conftest import ORIGIN, Api

NOBODY = {"no key", "an unknown key"}
OWNER = {"the secret key"}
SITE = OWNER | {"the public key"}
MAINTAINER = {"a maintainer's key"}
DESK = MAINTAINER | {"a moderator's key"}
EVERYBODY = NOBODY | SITE | DESK | {"the Akismet key"}

MAY_CALL = {
    ("POST", "/api/v1/comments"): SITE,
    ("POST", "/api/v1/comments/batch"): OWNER,
    ("GET", "/api/v1/comments/{comment_id}"): OWNER | DESK,
    ("PUT", "/api/v1/comments/{comment_id}"): OWNER,
    ("DELETE", "/api/v1/comments/{comment_id}"): OWNER,
    ("GET", "/api/v1/threads/{thread_key}/comments"): SITE,
    ("PUT", "/api/v1/threads/{thread_key}"): OWNER,
    ("GET", "/api/v1/queue"): DESK,
    ("POST", "/api/v1/comments/{comment_id}/reports"): SITE,
    ("POST", "/api/v1/queue/claims"): DESK,
    ("DELETE", "/api/v1/queue/claims"): DESK,
    ("POST", "/api/v1/queue/selections"): DESK,
    ("POST", "/api/v1/queue/{item_id}/notes"): DESK,
    ("POST", "/api/v1/queue/{item_id}/escalation"): DESK,
    ("GET", "/api/v1/queue/{item_id}/events"): DESK,
    ("GET", "/api/v1/queue/{item_id}"): DESK,
    ("PUT", "/api/v1/queue/{item_id}/claim"): DESK,
    ("DELETE", "/api/v1/queue/{item_id}/claim"): DESK,
    ("POST", "/api/v1/queue/{item_id}/decision"): DESK,
    ("POST", "/api/v1/queue/batches"): DESK,
    ("POST", "/api/v1/queue/batches/{batch_id}/reversal"): DESK,
    ("GET", "/api/v1/decisions/{decision_id}"): DESK,
    ("POST", "/api/v1/decisions/{decision_id}/reversal"): DESK,
    ("GET", "/api/v1/stats"): DESK,
    ("GET", "/api/v1/models"): MAINTAINER,
    ("GET", "/api/v1/models/{version}"): MAINTAINER,
    ("POST", "/api/v1/models/{version}/promotion"): MAINTAINER,
    ("POST", "/api/v1/models/{version}/preview"): MAINTAINER,
    ("POST", "/api/v1/models/{version}/shadow"): MAINTAINER,
    ("GET", "/api/v1/models/{version}/shadow"): MAINTAINER,
    ("DELETE", "/api/v1/models/{version}/shadow"): MAINTAINER,
    ("POST", "/api/v1/models/rollback"): MAINTAINER,
    ("GET", "/api/v1/retraining-runs"): MAINTAINER,
    ("POST", "/api/v1/retraining-runs"): MAINTAINER,
    ("GET", "/api/v1/retraining-runs/{run_id}"): MAINTAINER,
    ("GET", "/api/v1/labels.jsonl"): MAINTAINER,
    ("GET", "/api/v1/webhook-endpoints"): MAINTAINER,
    ("POST", "/api/v1/webhook-endpoints"): MAINTAINER,
    ("GET", "/api/v1/webhook-endpoints/{endpoint_id}"): MAINTAINER,
    ("PATCH", "/api/v1/webhook-endpoints/{endpoint_id}"): MAINTAINER,
    ("DELETE", "/api/v1/webhook-endpoints/{endpoint_id}"): MAINTAINER,
    ("POST", "/api/v1/webhook-endpoints/{endpoint_id}/secret"): MAINTAINER,
    ("GET", "/api/v1/webhook-endpoints/{endpoint_id}/deliveries"): MAINTAINER,
    ("POST", "/api/v1/webhook-deliveries/{delivery_id}/replay"): MAINTAINER,
    ("POST", "/api/v1/labels"): MAINTAINER,
    ("GET", "/api/v1/sites"): MAINTAINER,
    ("POST", "/api/v1/sites"): MAINTAINER,
    ("GET", "/api/v1/sites/{site_id}/policy"): MAINTAINER,
    ("PUT", "/api/v1/sites/{site_id}/policy"): MAINTAINER,
    ("POST", "/api/v1/sites/{site_id}/policy/preview"): MAINTAINER,
    ("GET", "/api/v1/sites/{site_id}/promises"): MAINTAINER,
    ("GET", "/api/v1/sites/{site_id}/keys"): MAINTAINER,
    ("POST", "/api/v1/sites/{site_id}/keys"): MAINTAINER,
    ("GET", "/api/v1/moderators"): MAINTAINER,
    ("POST", "/api/v1/moderators"): MAINTAINER,
    ("PATCH", "/api/v1/moderators/{moderator_id}"): MAINTAINER,
    ("POST", "/api/v1/moderators/{moderator_id}/keys"): MAINTAINER,
    ("DELETE", "/api/v1/keys/{key_id}"): MAINTAINER,
    ("GET", "/api/v1/audit"): MAINTAINER,
    ("GET", "/healthz"): EVERYBODY,
    ("GET", "/readyz"): EVERYBODY,
    ("GET", "/metrics"): EVERYBODY,
}
# Served by libraries, the same for everybody: pictures and styles, and the documentation.
OPEN_BY_NATURE = {"static", "swagger_ui.show", "api-docs.openapi_json"}


@pytest.fixture
def scorer(settings: Settings) -> Scorer:
    """The real one, which has a registry; nothing is loaded here."""
    return open_scorer(settings)


@pytest.fixture
def keys(alma: NewSite, bruno: NewModerator, carla: NewModerator) -> dict[str, str | None]:
    """A key of every kind."""
    return {
        "no key": None,
        "an unknown key": "gr_secret_nobody",
        "the public key": alma.public_key,
        "the secret key": alma.secret_key,
        "the Akismet key": alma.akismet_key,
        "a moderator's key": bruno.key,
        "a maintainer's key": carla.key,
    }


def test_every_route_says_who_may_call_it(app: Flask) -> None:
    silent = {
        name for name, view in app.view_functions.items() if not getattr(view, "required_callers", None)
    }
    assert silent <= OPEN_BY_NATURE


def test_the_table_has_every_route(app: Flask) -> None:
    assert set(MAY_CALL) == api_routes(app)


@pytest.mark.parametrize(("method", "path"), MAY_CALL)
def test_only_the_right_keys_are_let_through(
    api: Api, keys: dict[str, str | None], method: str, path: str
) -> None:
    allowed = MAY_CALL[method, path]
    for kind, key in keys.items():
        answer = api.call(method, path.replace("{", "").replace("}", ""), key, headers={"Origin": ORIGIN})
        refused = answer.status_code if answer.status_code in {401, 403} else None
        expected = None if kind in allowed else 401 if kind in NOBODY else 403
        assert refused == expected, kind
        if refused == 401:
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["Basic {}", "bearer {}", "BEARER  {}", "{}", "Bearer", "Bearer "])
def test_a_key_is_taken_as_a_bearer_only(api: Api, bruno: NewModerator, header: str) -> None:
    answer = api.call("GET", "/api/v1/stats", headers={"Authorization": header.format(bruno.key)})
    scheme, _, key = header.partition(" ")
    assert answer.status_code == (200 if scheme.lower() == "bearer" and key.strip() else 401)


@pytest.mark.parametrize("key", ["x" * 10_000, "ключ".encode().decode("latin-1"), "' OR 1=1 --", "%00"])
def test_a_strange_key_is_unknown(api: Api, key: str) -> None:
    answer = api.call("GET", "/api/v1/stats", key)
    assert (answer.status_code, answer.get_json()["type"]) == (401, "urn:greenroom:problem:unknown-key")
    assert key not in answer.text


def test_a_disabled_moderators_key_is_unknown(api: Api, bruno: NewModerator, database: Database) -> None:
    assert api.call("GET", "/api/v1/stats", bruno.key).status_code == 200
    with database.write() as session:
        session.execute(
            update(Moderator).where(Moderator.id == bruno.moderator_id).values(disabled_at=datetime.now(UTC))
        )
    assert api.call("GET", "/api/v1/stats", bruno.key).status_code == 401


def test_a_revoked_key_is_unknown_and_the_sites_others_go_on(
    api: Api, alma: NewSite, database: Database
) -> None:
    with database.write() as session:
        session.execute(
            update(AccessKey)
            .where(AccessKey.kind == KeyKind.SITE_SECRET)
            .values(revoked_at=datetime.now(UTC))
        )
    path = "/api/v1/threads/first-post/comments"
    assert api.call("GET", path, alma.secret_key).status_code == 401
    assert api.call("GET", path, alma.public_key).status_code == 200


def test_a_revoked_key_that_was_just_used_stops_working_soon(
    api: Api, alma: NewSite, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "/api/v1/threads/first-post/comments"
    assert api.call("GET", path, alma.secret_key).status_code == 200
    with database.write() as session:
        session.execute(update(AccessKey).values(revoked_at=datetime.now(UTC)))
    later = time.monotonic() + SITE_SECONDS
    monkeypatch.setattr("moderation.remembered.monotonic", lambda: later)
    assert api.call("GET", path, alma.secret_key).status_code == 401


def test_keys_are_kept_as_hashes_only(alma: NewSite, bruno: NewModerator, database: Database) -> None:
    with database.engine.connect() as connection:
        kept = str(connection.exec_driver_sql("SELECT * FROM access_keys").all())
    shown = (alma.secret_key, alma.public_key, alma.akismet_key, bruno.key)
    assert not [key for key in shown if key in kept]
