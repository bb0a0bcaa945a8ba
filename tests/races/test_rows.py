"""Rows handed to the driver as they are: the same in the database as by SQLAlchemy itself."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import bindparam, select, update

from moderation.database import Database, open_database
from moderation.models import Comment, Site, table_of
from moderation.services.rows import run_many
from tests.conftest import make_site

SITES = table_of(Site)
INSERT = SITES.insert()
RENAME = update(SITES).where(SITES.c.id == bindparam("site")).values(name=bindparam("name"))
AT = datetime(2026, 11, 27, 12, 30, 0, 123456, tzinfo=timezone(timedelta(hours=2)))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = open_database(database_url)
    yield opened
    opened.engine.dispose()


def row(n: int, **more: Any) -> dict[str, Any]:
    origins = ["https://a.example", "\N{SNOWMAN} \" \\ '"]
    return {"id": f"site_{n}", "name": f"blog {n}", "allowed_origins": origins, "created_at": AT} | more


def stored(database: Database) -> list[Site]:
    with database.read() as session:
        return list(
            session.scalars(select(Site).where(Site.id.like("site\\__", escape="\\")).order_by(Site.id))
        )


def test_every_value_comes_back_as_it_was(database: Database) -> None:
    with database.write() as session:
        run_many(session, INSERT, [row(1), row(2, allowed_origins=[])])
    first, second = stored(database)
    assert first.allowed_origins == row(1)["allowed_origins"]
    assert second.allowed_origins == []
    assert first.created_at == AT.astimezone(UTC)
    assert (first.name, second.name) == ("blog 1", "blog 2")


def test_an_update_names_its_rows_by_a_parameter(database: Database) -> None:
    with database.write() as session:
        run_many(session, INSERT, [row(1), row(2)])
        run_many(session, RENAME, [{"site": "site_1", "name": "one"}, {"site": "site_2", "name": "two"}])
    assert [site.name for site in stored(database)] == ["one", "two"]


def test_equal_values_in_two_columns_are_each_written_their_own_way(database: Database) -> None:
    shared: list[Any] = ["x"]
    with database.write() as session:
        run_many(session, INSERT, [row(n, allowed_origins=shared) for n in range(3)])
    assert all(site.allowed_origins == ["x"] for site in stored(database))


def test_no_rows_are_no_statement(database: Database) -> None:
    with database.write() as session:
        run_many(session, INSERT, [])
    assert stored(database) == []


def test_a_column_that_was_forgotten_is_an_error_and_not_a_default(database: Database) -> None:
    make_site(database)
    with database.write() as session, pytest.raises(TypeError, match="version"):
        run_many(session, table_of(Comment).insert(), [{"id": "c_1", "status": "pending"}])


def test_what_a_rolled_back_transaction_ran_never_happened(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.write() as session:
        run_many(session, INSERT, [row(1)])
        raise ZeroDivisionError
    assert stored(database) == []
