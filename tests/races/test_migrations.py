"""The migrations, on both databases"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect

from moderation import migrate
from moderation.models import Base
from tests.stores import PostgresqlServer


@pytest.fixture
def empty_url(store: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables."""
    if store == "sqlite":
        yield f"sqlite:///{tmp_path / 'greenroom.db'}"
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql_server")
    yield server.create("without_tables")
    server.drop("without_tables")


def tables(url: str) -> set[str]:
    engine = create_engine(url)
    found = set(inspect(engine).get_table_names())
    engine.dispose()
    return found


def test_up_makes_exactly_what_the_models_say(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    engine = create_engine(empty_url)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    engine.dispose()
    assert differences == []


def test_up_down_up_leaves_the_same_tables(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    before = tables(empty_url)
    migrate.downgrade(empty_url, "base")
    assert tables(empty_url) == {"alembic_version"}
    migrate.upgrade(empty_url)
    assert tables(empty_url) == before


def test_two_machines_may_migrate_at_once(empty_url: str) -> None:
    command = [
        sys.executable,
        "-c",
        "import sys; from moderation import migrate; migrate.upgrade(sys.argv[1])",
    ]
    both = [subprocess.Popen([*command, empty_url]) for _ in range(2)]
    assert [process.wait(timeout=60) for process in both] == [0, 0]
    assert "comments" in tables(empty_url)
