"""One engine for all tests here, on each test's own database: it remembers how it wrote its statements."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event, make_url

from moderation.database import Database, open_database
from moderation.settings import Settings


@pytest.fixture(scope="session")
def one_engine(tmp_path_factory: pytest.TempPathFactory) -> Database:
    """A database that is led to another file for each test."""
    return open_database(f"sqlite:///{tmp_path_factory.mktemp('unused') / 'unused.db'}")


@pytest.fixture
def database(one_engine: Database, settings: Settings) -> Iterator[Database]:
    """The database of `settings`."""
    path = make_url(settings.database_url).database

    def lead_there(_dialect: Any, _record: Any, where: list[Any], _how: Any) -> None:
        where[0] = path

    event.listen(one_engine.engine, "do_connect", lead_there)
    yield one_engine
    one_engine.engine.dispose()
    event.remove(one_engine.engine, "do_connect", lead_there)
