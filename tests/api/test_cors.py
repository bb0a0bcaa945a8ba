"""Requests from a blog's page: preflights and marks for the origins a site allows."""

import pytest

from moderation.services.access import NewSite
from tests.conftest import ORIGIN, Api

EVIL = "https://evil.example"
PATHS = ["/api/v1/comments", "/api/v1/comments/c_1", "/api/v1/threads/2026/a-post/comments"]
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-site-key"}


@pytest.mark.parametrize("path", PATHS)
def test_a_preflight_from_an_allowed_origin_is_answered_without_a_key(
    api: Api, alma: NewSite, path: str
) -> None:
    answer = api.call("OPTIONS", path, headers=PREFLIGHT | {"Origin": ORIGIN})
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Origin" in answer.headers["Vary"]
    allowed = answer.headers["Access-Control-Allow-Headers"].lower()
    assert {"x-site-key", "content-type", "authorization", "idempotency-key", "prefer"} <= set(
        allowed.split(", ")
    )
    assert {"GET", "POST", "PUT", "DELETE"} <= set(answer.headers["Access-Control-Allow-Methods"].split(", "))


@pytest.mark.parametrize("path", PATHS)
def test_an_unknown_origin_gets_no_mark(api: Api, alma: NewSite, path: str) -> None:
    for origin in (EVIL, "null", ORIGIN + ".evil.example", ORIGIN.upper()):
        answer = api.call("OPTIONS", path, headers=PREFLIGHT | {"Origin": origin})
        assert not [name for name in dict(answer.headers) if name.startswith("Access-Control")]
        assert "Origin" in answer.headers["Vary"]


def test_an_allowed_page_may_read_answers_problems_and_304(api: Api, alma: NewSite) -> None:
    headers = {"Origin": ORIGIN, "X-Site-Key": alma.public_key}
    read = api.call("GET", PATHS[2], headers=headers)
    again = api.call("GET", PATHS[2], headers=headers | {"If-None-Match": read.headers["ETag"]})
    problem = api.call("GET", PATHS[2], headers={"Origin": ORIGIN})
    assert [answer.status_code for answer in (read, again, problem)] == [200, 304, 401]
    for answer in (read, again, problem):
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert "ETag" in answer.headers["Access-Control-Expose-Headers"]


def test_an_answer_without_an_origin_is_kept_apart_in_caches(api: Api, alma: NewSite) -> None:
    answer = api.call("GET", PATHS[2], alma.secret_key)
    assert "Origin" in answer.headers["Vary"]
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("path", ["/api/v1/queue", "/api/v1/models", "/api/v1/labels", "/metrics"])
def test_no_page_may_call_what_belongs_to_moderators(api: Api, alma: NewSite, path: str) -> None:
    answer = api.call("OPTIONS", path, headers=PREFLIGHT | {"Origin": ORIGIN})
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_credentials_are_never_asked_for(api: Api, alma: NewSite) -> None:
    answer = api.call("OPTIONS", PATHS[0], headers=PREFLIGHT | {"Origin": ORIGIN})
    assert "Access-Control-Allow-Credentials" not in answer.headers
