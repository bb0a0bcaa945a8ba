"""Real clients on the real web server: gunicorn with the shipped model, on SQLite.

The clients come with `make clients`; without them these tests skip.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from moderation.services.access import NewSite, create_site
from tests.clients.running import INSTALLED
from tests.conftest import ORIGIN, SECRET
from tests.served import Served, serving


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A server and a client are real processes."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.processes)


@pytest.fixture(autouse=True)
def _clients_are_installed() -> None:
    if not INSTALLED.exists():
        pytest.skip("the foreign clients are not installed: make clients")


@pytest.fixture(scope="session")
def served(
    tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path, redis_url: str
) -> Iterator[Served]:
    """One web server for all tests of this folder."""
    home = tmp_path_factory.mktemp("served")
    database = home / "greenroom.db"
    database.write_bytes(migrated_sqlite.read_bytes())
    with serving(home, f"sqlite:///{database}", redis_url) as running:
        yield running


@pytest.fixture
def site(served: Served) -> NewSite:
    """A site of the test's own with its keys."""
    with served.database.write() as session:
        now, secret = datetime.now(UTC), SECRET.encode()
        return create_site(session, "Alma's blog", [ORIGIN], {}, secret=secret, now=now)
