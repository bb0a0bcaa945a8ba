"""Fixtures for everybody: real databases (SQLite and PostgreSQL), real Redis, and three people.

Alma owns the blog (its site keys), Bruno is a moderator, Carla the maintainer; Dora is a stranger with no
key at all.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import settings as property_settings
from sqlalchemy import create_engine, event, make_url, text
from werkzeug.test import TestResponse

from moderation import migrate
from moderation.api.service import Service
from moderation.app import create_app
from moderation.database import Database, open_database
from moderation.models import Role
from moderation.services.access import (
    ModeratorCaller,
    NewModerator,
    NewSite,
    create_moderator,
    create_site,
)
from moderation.settings import Settings, load_settings
from tests.fakes import FakeScorer, FakeWakeUps
from tests.object_store import ObjectServer, binary_is_there, running_object_server
from tests.stores import STORES, PostgresqlServer, SharedPostgresql, running_postgresql
from workers.embedded_redis import running_redis
from workers.process import Process
from workers.scoring import drain_process

SECRET = "a secret for tests that is long enough"
ORIGIN = "https://blog.example.org"

# How long an example takes says something of the machine, not of what is tested.
property_settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
property_settings.load_profile("any machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let one store do when the other is not the subject."""
    parser.addoption("--store", choices=STORES, help="run the tests that need a database on this one only")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Whatever uses a database runs on each store, unless the test names its own."""
    named = any("store" in str(mark.args[0]) for mark in metafunc.definition.iter_markers("parametrize"))
    if "store" in metafunc.fixturenames and not named:
        one = metafunc.config.getoption("store")
        metafunc.parametrize("store", [one] if one else STORES)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    """A PostgreSQL server of the suite's own, from a Python package."""
    with running_postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Redis of the suite's own."""
    with running_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="session")
def object_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectServer]:
    """A real S3 server of the suite's own."""
    if not binary_is_there():
        pytest.skip("the S3 server of the tests is not made for this system")
    with running_object_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with every table, to be copied."""
    path = tmp_path_factory.mktemp("template") / "greenroom.db"
    migrate.upgrade(f"sqlite:///{path}")
    connection = create_engine(f"sqlite:///{path}")
    with connection.connect() as session:
        session.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    connection.dispose()
    return path


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """A fresh SQLite database with every table."""
    path = tmp_path / "greenroom.db"
    path.write_bytes(migrated_sqlite.read_bytes())
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def shared_postgresql(postgresql_server: PostgresqlServer) -> Iterator[SharedPostgresql]:
    """A PostgreSQL database with every table."""
    shared = SharedPostgresql(postgresql_server)
    yield shared
    shared.close()


@pytest.fixture
def postgresql_url(shared_postgresql: SharedPostgresql) -> Iterator[str]:
    """A PostgreSQL database with every table and no row."""
    yield shared_postgresql.url
    shared_postgresql.empty()


@pytest.fixture
def database_url(store: str, request: pytest.FixtureRequest) -> str:
    """Both databases in turn, empty."""
    url: str = request.getfixturevalue(f"{store}_url")
    return url


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings of a small installation."""
    return make_settings(database_url, tmp_path)


@pytest.fixture(scope="session")
def sqlite_engine(tmp_path_factory: pytest.TempPathFactory) -> Database:
    """One engine that is led to another file for each test: it remembers how it wrote its statements."""
    return open_database(f"sqlite:///{tmp_path_factory.mktemp('unused') / 'unused.db'}")


@pytest.fixture(scope="session")
def postgresql_engine(shared_postgresql: SharedPostgresql) -> Iterator[Database]:
    """One engine on the one database of all tests."""
    opened = open_database(shared_postgresql.url)
    yield opened
    opened.engine.dispose()


@pytest.fixture
def database(store: str, settings: Settings, request: pytest.FixtureRequest) -> Iterator[Database]:
    """The database of `settings`."""
    opened: Database = request.getfixturevalue(f"{store}_engine")
    if store == "postgresql":
        yield opened
        return
    path = make_url(settings.database_url).database

    def lead_there(_dialect: Any, _record: Any, where: list[Any], _how: Any) -> None:
        where[0] = path

    event.listen(opened.engine, "do_connect", lead_there)
    yield opened
    opened.engine.dispose()
    event.remove(opened.engine, "do_connect", lead_there)


@pytest.fixture
def wake_ups() -> FakeWakeUps:
    """Stands for Redis where a test only asks whether a worker would have been woken."""
    return FakeWakeUps()


@pytest.fixture
def scorer() -> FakeScorer:
    """Stands for the model: a word of the body decides the scores."""
    return FakeScorer()


@pytest.fixture
def process(settings: Settings, database: Database, wake_ups: FakeWakeUps, scorer: FakeScorer) -> Process:
    """A worker process on the same database as `client`."""
    return make_process(settings, database, wake_ups, scorer)


@pytest.fixture
def drain(process: Process) -> Callable[[], int]:
    """Run the drain job here and now."""
    return lambda: drain_process(process)


@pytest.fixture(scope="session")
def application(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The application's routes, made once: describing them all takes most of the time."""
    home = tmp_path_factory.mktemp("application")
    made = create_app(make_settings(f"sqlite:///{home / 'unused.db'}", home))
    made.extensions["greenroom"].database.engine.dispose()
    return made


@pytest.fixture
def app(
    application: Flask, settings: Settings, database: Database, wake_ups: FakeWakeUps, scorer: FakeScorer
) -> Flask:
    """The web application on this test's own database."""
    application.extensions["greenroom"] = Service(settings, database, wake_ups, scorer)  # type: ignore[arg-type]
    return application


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client that shows no key."""
    return app.test_client()


@pytest.fixture
def alma(database: Database) -> NewSite:
    """The blog's owner: her site and its keys."""
    return make_site(database)


@pytest.fixture
def bruno(database: Database) -> NewModerator:
    """A moderator."""
    return make_moderator(database, "Bruno", Role.MODERATOR)


@pytest.fixture
def carla(database: Database) -> NewModerator:
    """The maintainer."""
    return make_moderator(database, "Carla", Role.MAINTAINER)


@dataclass
class Api:
    """Calls on the API with somebody's key."""

    client: FlaskClient

    def call(self, method: str, path: str, key: str | None = None, **kwargs: Any) -> TestResponse:
        headers = {**kwargs.pop("headers", {})}
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        return self.client.open(path, method=method, headers=headers, **kwargs)

    def hand_in(self, site: NewSite, body: str = "A kind word.", **more: Any) -> dict[str, Any]:
        """Post a comment as the site; gives the answer's JSON."""
        data = {"thread": {"id": "first-post"}, "author": {"name": "Reader"}, "body": body} | more
        answer = self.call("POST", "/api/v1/comments", site.secret_key, json=data)
        assert answer.status_code == 202, answer.text
        return answer.get_json()

    def fate(self, site: NewSite, comment_id: str) -> tuple[str, str | None]:
        """Status and reason of a comment."""
        found = self.call("GET", f"/api/v1/comments/{comment_id}", site.secret_key).get_json()
        return found["status"], found["reason"]

    def queue(self, who: NewModerator, query: str = "") -> list[dict[str, Any]]:
        """The open items a moderator sees."""
        answer = self.call("GET", f"/api/v1/queue{query}", who.key)
        assert answer.status_code == 200, answer.text
        return answer.get_json()["items"]

    def decide(self, who: NewModerator, item: dict[str, Any], action: str, **more: Any) -> TestResponse:
        """Decide an item as seen."""
        data = {"action": action, "reason": "clean" if action == "approve" else "spam"} | more
        headers = {"If-Match": f'"{item["version"]}"'}
        return self.call("POST", f"/api/v1/queue/{item['id']}/decision", who.key, json=data, headers=headers)


@pytest.fixture
def api(client: FlaskClient) -> Api:
    """Calls on the API."""
    return Api(client)


def make_settings(database_url: str, home: Path, **more: str) -> Settings:
    """Settings for a test; `more` are further variables without their prefix."""
    environ = {
        "GREENROOM_HOME": str(home),
        "GREENROOM_DATABASE_URL": database_url,
        "GREENROOM_SECRET_KEY": SECRET,
        "GREENROOM_PUBLIC_URL": "http://localhost",
        # Drawn by lot, they would come where a test does not expect them.
        "GREENROOM_SPOT_CHECK_SHARE": "0",
    }
    return load_settings(environ | {f"GREENROOM_{name}": value for name, value in more.items()})


def make_process(settings: Settings, database: Database, jobs: Any, scorer: Any) -> Process:
    """A worker process with the parts given."""
    process = Process(settings, database, jobs)
    process.__dict__["scorer"] = scorer
    return process


def make_site(database: Database, **policy: Any) -> NewSite:
    """A site that allows ORIGIN."""
    with database.write() as session:
        return create_site(
            session, "Alma's blog", [ORIGIN], policy, secret=SECRET.encode(), now=datetime.now(UTC)
        )


def make_moderator(database: Database, name: str, role: Role) -> NewModerator:
    """A moderator with a key."""
    with database.write() as session:
        return create_moderator(session, name, role, secret=SECRET.encode(), now=datetime.now(UTC))


def caller(who: NewModerator, name: str = "Bruno", role: Role = Role.MODERATOR) -> ModeratorCaller:
    """A moderator as the services see them."""
    return ModeratorCaller(who.moderator_id, name, role)
