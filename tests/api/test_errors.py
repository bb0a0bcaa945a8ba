"""What every address answers when something is wrong with the request, or with us"""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from moderation.api.forms import FORM, FORM_BYTES
from moderation.app import REQUEST_BYTES
from moderation.database import Database
from moderation.services.access import NewModerator, NewSite
from moderation.settings import Settings
from tests.conftest import ORIGIN, Api
from tests.fakes import FakeScorer, FakeWakeUps
from tests.stores import lose_database

PREFIX = "urn:greenroom:problem:"
PHRASE = "quokka-and-marmalade"


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """The log at its most talkative."""
    caplog.set_level(logging.DEBUG)
    return caplog


def without_id(answer: TestResponse) -> dict[str, Any]:
    """The problem without the id of its request, which is another each time."""
    found: dict[str, Any] = answer.get_json()
    assert found.pop("request_id") == answer.headers["X-Request-Id"]
    return found


def test_an_address_that_is_not_there_is_404(api: Api) -> None:
    answer = api.call("GET", "/api/v1/nothing")
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
    assert without_id(answer) == {
        "type": PREFIX + "not-found",
        "title": "There is no such thing",
        "status": 404,
        "instance": "/api/v1/nothing",
    }


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/comments/c_%00",
        "/api/v1/queue/item_%00",
        "/api/v1/threads/a%00b/comments",
        "/api/v1/decisions/%00",
        "/api/v1/retraining-runs/%00",
        "/api/v1/models/%00",
    ],
)
def test_a_nul_in_an_address_is_404(api: Api, carla: NewModerator, path: str) -> None:
    answer = api.call("GET", path, carla.key)
    assert (answer.status_code, answer.get_json()["type"]) == (404, PREFIX + "not-found")


@pytest.mark.parametrize("path", ["/api/v1/comments/%ff%fe", "/api/v1/queue/%ed%a0%80", "/%80"])
def test_an_address_that_is_no_utf_8_is_404(api: Api, carla: NewModerator, path: str) -> None:
    assert api.call("GET", path, carla.key).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/v1/comments", {"OPTIONS", "POST"}),
        ("POST", "/api/v1/queue", {"GET", "HEAD", "OPTIONS"}),
        ("PATCH", "/api/v1/queue/item_1/claim", {"DELETE", "OPTIONS", "PUT"}),
        ("GET", "/api/v1/labels", {"OPTIONS", "POST"}),
    ],
)
def test_another_method_is_405_and_told_which_are_allowed(
    api: Api, method: str, path: str, allowed: set[str]
) -> None:
    answer = api.call(method, path)
    assert (answer.status_code, answer.get_json()["type"]) == (405, PREFIX + "method-not-allowed")
    assert set(answer.headers["Allow"].split(", ")) == allowed


def test_head_answers_like_get_without_a_body(api: Api, alma: NewSite) -> None:
    path = f"/api/v1/comments/{api.hand_in(alma)['id']}"
    head, get = (api.call(method, path, alma.secret_key) for method in ("HEAD", "GET"))
    assert (head.status_code, head.data) == (200, b"")
    assert (head.headers["ETag"], head.content_type) == (get.headers["ETag"], get.content_type)
    missing = api.call("HEAD", "/api/v1/comments/c_nothing", alma.secret_key)
    assert (missing.status_code, missing.data) == (404, b"")


@pytest.mark.parametrize("data", [b"{", b"\xff", b'{"count": Infinity}', b"[" * 30_000])
def test_a_body_that_is_no_json_is_400(api: Api, bruno: NewModerator, data: bytes) -> None:
    answer = api.call("POST", "/api/v1/queue/claims", bruno.key, data=data, content_type="application/json")
    assert (answer.status_code, answer.get_json()["type"]) == (400, PREFIX + "malformed")


def test_another_content_type_is_415(api: Api, bruno: NewModerator) -> None:
    answer = api.call("POST", "/api/v1/queue/claims", bruno.key, data=b"{}", content_type="text/plain")
    assert (answer.status_code, answer.get_json()["type"]) == (415, PREFIX + "wrong-content-type")


@pytest.mark.parametrize(("content_type", "limit"), [("application/json", REQUEST_BYTES), (FORM, FORM_BYTES)])
def test_a_request_over_the_limit_is_413(api: Api, alma: NewSite, content_type: str, limit: int) -> None:
    def status(size: int) -> int:
        data = b"body=" + b"x" * (size - 5)
        answer = api.call("POST", "/api/v1/comments", alma.secret_key, data=data, content_type=content_type)
        assert answer.content_type == "application/problem+json"
        return answer.status_code

    assert status(limit) != 413
    assert status(limit + 1) == 413


@pytest.mark.parametrize("member", [PHRASE, "a/b~c"])
def test_an_unknown_member_is_named_by_a_json_pointer(api: Api, bruno: NewModerator, member: str) -> None:
    answer = api.call("POST", "/api/v1/queue/claims", bruno.key, json={member: 1})
    escaped = member.replace("~", "~0").replace("/", "~1")
    assert answer.get_json()["errors"] == [{"pointer": f"/{escaped}", "detail": "Unknown field."}]


def test_a_mistake_of_ours_is_a_500_that_tells_nothing(
    app: Flask,
    api: Api,
    alma: NewSite,
    wake_ups: FakeWakeUps,
    monkeypatch: pytest.MonkeyPatch,
    everything_logged: pytest.LogCaptureFixture,
) -> None:
    def fail() -> None:
        raise ValueError(f"cannot wake for {PHRASE}")

    monkeypatch.setattr(wake_ups, "wake_scoring", fail)
    answer = api.call(
        "POST",
        "/api/v1/comments",
        alma.secret_key,
        json={"thread": {"id": "t"}, "author": {"name": "A"}, "body": PHRASE},
    )
    assert (answer.status_code, answer.content_type) == (500, "application/problem+json")
    assert without_id(answer) == {
        "type": PREFIX + "internal",
        "title": "Something went wrong here",
        "status": 500,
        "instance": "/api/v1/comments",
    }
    # The log says where it happened, not what the comment said.
    assert "ValueError on POST /api/v1/comments" in everything_logged.text
    assert (
        "create_comment"
        in [r for r in everything_logged.records if r.levelname == "ERROR"][-1].__dict__["trace"]
    )
    assert PHRASE not in everything_logged.text


def test_a_statement_that_fails_is_not_logged_with_its_text(
    api: Api, alma: NewSite, database: Database, everything_logged: pytest.LogCaptureFixture
) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE idempotency_keys")
        connection.exec_driver_sql("ALTER TABLE submissions RENAME TO elsewhere")
    data = {"thread": {"id": "t"}, "author": {"name": "A"}, "body": PHRASE}
    answer = api.call("POST", "/api/v1/comments", alma.secret_key, json=data)
    assert answer.status_code >= 500
    assert PHRASE not in everything_logged.text + answer.text


@pytest.mark.parametrize("origin", [{}, {"Origin": ORIGIN}], ids=["from a program", "from a page"])
def test_a_database_that_is_away_is_503_with_a_time_to_try_again(
    api: Api, alma: NewSite, database: Database, settings: Settings, origin: dict[str, str]
) -> None:
    database.engine.dispose()
    lose_database(settings.database_url)
    answer = api.call("GET", "/api/v1/threads/first-post/comments", alma.secret_key, headers=origin)
    assert (answer.status_code, answer.get_json()["type"]) == (503, PREFIX + "unavailable")
    assert int(answer.headers["Retry-After"]) > 0


def test_no_comment_text_is_logged_from_submission_to_decision(
    api: Api,
    alma: NewSite,
    bruno: NewModerator,
    carla: NewModerator,
    drain: Callable[[], int],
    scorer: FakeScorer,
    everything_logged: pytest.LogCaptureFixture,
) -> None:
    author: dict[str, Any] = {"name": f"{PHRASE}-name", "email": f"{PHRASE}@example.org"}
    for body in (f"kind {PHRASE}", f"score:spam=0.7 {PHRASE}", f"poison {PHRASE}"):
        api.hand_in(alma, body, author=author, thread={"id": "t", "title": f"{PHRASE} title"})
    api.call("POST", "/api/v1/comments", alma.secret_key, json={"body": PHRASE, PHRASE: 1})
    api.call("POST", "/api/v1/comments", alma.secret_key, data=PHRASE, content_type="application/json")
    drain()
    first, second = api.queue(bruno)
    api.call("GET", f"/api/v1/queue/{first['id']}", bruno.key)
    decision = api.decide(bruno, first, "reject", note=PHRASE).get_json()["decision"]
    api.decide(bruno, second, "approve")
    api.call("POST", f"/api/v1/decisions/{decision['id']}/reversal", bruno.key)
    api.call("GET", f"/api/v1/queue?limit=5&sort=score&reason={PHRASE}", bruno.key)
    api.call("GET", "/api/v1/labels.jsonl", carla.key)
    api.call("POST", "/api/v1/labels", carla.key, data=f"{PHRASE}\n", content_type="application/jsonl")
    api.call("GET", "/metrics")
    assert scorer.batches
    assert everything_logged.records
    assert PHRASE not in everything_logged.text
