"""When more comments wait than the installation allows"""

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import func, select

from moderation.database import Database
from moderation.intake import Intake
from moderation.models import Comment
from moderation.services.access import NewSite
from tests.conftest import ORIGIN, Api

COMMENT = {"thread": {"id": "t"}, "author": {"name": "Reader"}, "body": "A kind word."}


@pytest.fixture
def intake(app: Flask, alma: NewSite, monkeypatch: pytest.MonkeyPatch) -> Intake:
    """Room for three, counted anew for each request."""
    monkeypatch.setattr("moderation.intake.COUNT_SECONDS", 0.0)
    service = app.extensions["greenroom"]
    app.extensions["greenroom"] = replace(service, settings=replace(service.settings, max_waiting=3))
    found: Intake = app.extensions["greenroom"].intake
    return found


@pytest.mark.usefixtures("intake")
def test_it_is_503_with_retry_after_and_nothing_is_stored_until_workers_caught_up(
    api: Api, alma: NewSite, database: Database, drain: Callable[[], int]
) -> None:
    for _ in range(3):
        api.hand_in(alma)
    for path, body in (("", COMMENT), ("/batch", {"comments": [COMMENT]})):
        answer = api.call("POST", f"/api/v1/comments{path}", alma.secret_key, json=body)
        assert (answer.status_code, answer.get_json()["type"]) == (503, "urn:greenroom:problem:overloaded")
        assert int(answer.headers["Retry-After"]) > 0
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Comment)) == 3
    drain()
    api.hand_in(alma)


@pytest.mark.usefixtures("intake")
def test_a_forms_reader_gets_a_page_that_keeps_their_text(api: Api, alma: NewSite) -> None:
    for _ in range(3):
        api.hand_in(alma)
    form = {
        "site_key": alma.public_key,
        "thread_id": "t",
        "author_name": "Reader",
        "body": "Kept by the page.",
    }
    page = api.call("POST", "/api/v1/comments", data=form, headers={"Origin": ORIGIN, "Accept": "text/html"})
    assert (page.status_code, page.mimetype) == (503, "text/html")
    assert "Kept by the page." in page.text
    assert int(page.headers["Retry-After"]) > 0
