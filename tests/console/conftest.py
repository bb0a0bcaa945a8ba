"""The console as Bruno sees it: a client that keeps cookies and sends forms as a browser does."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from moderation.services.access import NewModerator, NewSite
from tests.conftest import Api

Held = Callable[..., dict[str, Any]]


@dataclass
class Console:
    """A browser on the console."""

    client: FlaskClient

    def get(self, path: str = "/console/") -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def send(self, path: str, **fields: Any) -> TestResponse:
        """Send a form with the token of this session."""
        with self.client.session_transaction("/console") as session:
            token = session.setdefault("token", "made by the page")
        return self.client.post(path, data={"token": token, **fields})

    def sign_in(self, key: str, wanted: str = "") -> TestResponse:
        return self.send("/console/sign-in", key=key, wanted=wanted)

    def decide(self, item: dict[str, Any], action: str, query: str = "", **more: Any) -> TestResponse:
        path = f"/console/items/{item['id']}/decision{query}"
        return self.send(path, action=action, version=item["version"], **more)

    def follow(self, answer: TestResponse) -> str:
        assert answer.status_code == 303, answer.text
        return self.get(answer.location)

    def undo(self, page: str) -> TestResponse:
        """Press the page's undo button."""
        found = re.search(r'class="undo" method="post" action="([^"]+)"', page)
        assert found is not None
        return self.send(found[1])


@pytest.fixture
def stranger(app: Flask) -> Console:
    """Nobody is signed in."""
    return Console(app.test_client())


@pytest.fixture
def console(app: Flask, bruno: NewModerator) -> Console:
    """Bruno is signed in."""
    console = Console(app.test_client())
    assert console.sign_in(bruno.key).status_code == 303
    return console


@pytest.fixture
def held(api: Api, alma: NewSite, bruno: NewModerator, drain: Callable[[], int]) -> Held:
    """Hand in a comment that a person must look at; gives its queue item."""

    def hand_in(body: str = "score:spam=0.70 hello", **more: Any) -> dict[str, Any]:
        comment = api.hand_in(alma, body, **more)
        drain()
        return next(item for item in api.queue(bruno) if item["comment"]["id"] == comment["id"])

    return hand_in
