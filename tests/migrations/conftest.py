"""Databases without tables, and revisions made up for a test."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from moderation import migrate
from tests.stores import PostgresqlServer

REVISION = '''"""Made up for a test."""

import sqlalchemy as sa
from alembic import op

from moderation.migrations import online

revision = "made_up"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    {up}


def downgrade() -> None:
    {down}
'''


@pytest.fixture
def empty_url(store: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables."""
    if store == "sqlite":
        yield f"sqlite:///{tmp_path / 'greenroom.db'}"
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql_server")
    yield server.create("without_tables")
    server.drop("without_tables")


@pytest.fixture
def add_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Add a revision after the head, for this test alone."""

    def add(up: str, down: str) -> None:
        copy = tmp_path / "migrations"
        shutil.copytree(migrate.MIGRATIONS, copy)
        text = REVISION.format(head=revisions()[-1], up=up, down=down)
        (copy / "versions" / "made_up.py").write_text(text)
        monkeypatch.setattr(migrate, "MIGRATIONS", copy)

    return add


def revisions() -> list[str]:
    """Every revision, oldest first."""
    config = Config()
    config.set_main_option("script_location", str(migrate.MIGRATIONS))
    walked = ScriptDirectory.from_config(config).walk_revisions()
    return [script.revision for script in walked][::-1]
