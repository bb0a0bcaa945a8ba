"""GET /api/openapi.json and /api/docs/"""

import re
from typing import Any

import pytest
from flask import Flask
from openapi_spec_validator import validate

from tests.api.routes import api_routes
from tests.conftest import Api

FOREIGN = re.compile(r"""(?:src|href|url)\s*[=:(]\s*["']?(?:https?:)?//""", re.IGNORECASE)


@pytest.fixture
def document(api: Api) -> dict[str, Any]:
    answer = api.call("GET", "/api/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.get_json()
    return found


def calls(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Method, path and description of every call."""
    return [
        (method.upper(), path, call)
        for path, methods in document["paths"].items()
        for method, call in methods.items()
        if method != "parameters"
    ]


def test_it_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_every_route_is_in_it_and_nothing_else(app: Flask, document: dict[str, Any]) -> None:
    described = {
        (method.upper(), path)
        for path, calls in document["paths"].items()
        for method in calls
        if method != "parameters"
    }
    assert described == api_routes(app)


def test_every_call_says_what_it_is_for(document: dict[str, Any]) -> None:
    assert [path for _, path, call in calls(document) if not call.get("summary")] == []


def test_errors_are_described_as_the_problems_they_are(api: Api, document: dict[str, Any]) -> None:
    problem = api.call("POST", "/api/v1/comments").get_json()
    members = document["components"]["schemas"]["Problem"]["properties"]
    assert set(problem) <= set(members)
    for _, path, call in calls(document):
        reference = call["responses"]["default"]["$ref"]
        described = document["components"]["responses"][reference.rpartition("/")[2]]
        assert set(described["content"]) == {"application/problem+json"}, path


def test_the_page_is_served_without_any_foreign_host(api: Api) -> None:
    page = api.call("GET", "/api/docs/")
    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert "/api/openapi.json" in page.text
    assert not FOREIGN.search(page.text)
    parts = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert parts
    for part in parts:
        assert part.startswith("/api/docs/")
        with api.call("GET", part) as answer:
            assert answer.status_code == 200


def test_the_page_is_found_without_its_last_slash(api: Api) -> None:
    answer = api.call("GET", "/api/docs")
    assert answer.status_code == 308
    assert answer.headers["Location"].endswith("/api/docs/")
