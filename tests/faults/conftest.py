"""The service in parts: one for all tests of this folder, each of which leaves it sound."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.apart import Apart, taken_apart


@pytest.fixture(scope="package")
def parts(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apart]:
    home = tmp_path_factory.mktemp("faults") / "home"
    home.mkdir()
    shutil.copy(migrated_sqlite, home / "greenroom.db")
    with taken_apart(home, f"sqlite:///{home / 'greenroom.db'}") as apart:
        yield apart


@pytest.fixture
def service(parts: Apart) -> Iterator[Apart]:
    """Redis, web server and sweeper run; workers are the test's business, and end with it."""
    parts.start_missing()
    yield parts
    for name in list(parts.running):
        if name.startswith("worker"):
            parts.kill(name)
            del parts.running[name]
