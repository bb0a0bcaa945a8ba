"""The Akismet door as a client on the wire sees it: bytes in, status, headers and bytes out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from moderation.database import Database
from moderation.models import Comment, Decision, ImportedExample, Label, QueueItem, SpamCheckMonth
from moderation.services.access import NewSite
from tests.conftest import ORIGIN

FORM = "application/x-www-form-urlencoded"
SPAM, MAYBE, TOXIC = "score:spam=0.95", "score:spam=0.6", "score:toxicity=0.95"
BEYOND_DOUBT = "score:spam=0.99"


def answer(said: TestResponse) -> tuple[int, str | None, bytes]:
    """What every client looks at."""
    return said.status_code, said.headers.get("Content-Type"), said.data


def plain(text: str) -> tuple[int, str, bytes]:
    """The one shape of an answer: 200, plain text, these bytes and no more."""
    return 200, "text/plain; charset=utf-8", text.encode()


@dataclass
class Door:
    """Calls with the key of a site."""

    client: FlaskClient
    site: NewSite

    def send(self, path: str, body: bytes = b"", method: str = "POST", **more: Any) -> TestResponse:
        """A request of exactly these bytes."""
        return self.client.open(path, method=method, data=body, **{"content_type": FORM} | more)

    def call(self, path: str, fields: Mapping[str, str] | None = None, **more: str) -> TestResponse:
        """A call with the site's key and blog, and these fields."""
        given = {"api_key": self.site.akismet_key, "blog": ORIGIN, **(fields or {}), **more}
        return self.send(path, urlencode(given).encode())

    def about(self, text: str, **more: str) -> dict[str, str]:
        """The fields that tell of a comment."""
        return {
            "user_ip": "203.0.113.9",
            "comment_author": "Reader",
            "comment_content": text,
            "permalink": f"{ORIGIN}/a-post",
        } | more

    def check(self, text: str, **more: str) -> TestResponse:
        """comment-check."""
        return self.call("/1.1/comment-check", self.about(text), **more)

    def say_spam(self, text: str, **more: str) -> TestResponse:
        """submit-spam."""
        return self.call("/1.1/submit-spam", self.about(text), **more)

    def say_ham(self, text: str, **more: str) -> TestResponse:
        """submit-ham."""
        return self.call("/1.1/submit-ham", self.about(text), **more)


@pytest.fixture
def door(client: FlaskClient, alma: NewSite) -> Door:
    """Alma's blog asks."""
    return Door(client, alma)


@dataclass
class Kept:
    """What the database holds."""

    database: Database

    def all(self, what: Any) -> list[Any]:
        """Every row, oldest first."""
        with self.database.read() as session:
            return list(session.scalars(select(what).order_by(*what.__table__.primary_key.columns)))

    def comments(self) -> list[tuple[str, str | None]]:
        """Status and reason of each comment."""
        return [(one.status, one.reason) for one in self.all(Comment)]

    def decisions(self) -> list[tuple[str, str, str]]:
        """Who decided what, and why."""
        return [(one.actor_kind, one.action, one.reason) for one in self.all(Decision)]

    def labels(self) -> list[tuple[str, bool, str]]:
        """The labels in force."""
        live = [one for one in self.all(Label) if one.retracted_at is None]
        return [(one.category, one.value, one.source) for one in live]

    def nothing(self) -> bool:
        """Whether nothing at all was kept or counted."""
        return not any(self.all(what) for what in (Comment, Label, ImportedExample, SpamCheckMonth))

    def open_items(self) -> int:
        """Comments that wait for a person."""
        return len([one for one in self.all(QueueItem) if one.closed_at is None])


@pytest.fixture
def kept(database: Database) -> Kept:
    """What the database holds."""
    return Kept(database)
