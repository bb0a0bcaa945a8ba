"""Bring the database's schema up to date, or back, with the migrations of this package."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(database_url: str, revision: str = "head") -> None:
    """Apply every migration up to `revision`; doing it twice is harmless."""
    command.upgrade(_config(database_url), revision)


def downgrade(database_url: str, revision: str) -> None:
    """Undo migrations down to `revision` ("base" for all of them)."""
    command.downgrade(_config(database_url), revision)


def missing(connection: Connection) -> str | None:
    """What the tables lack for this code, in words; None when nothing, also when they are newer.

    Old code must run on new tables: the migration comes first, and web servers follow one by one.
    """
    head, known = _revisions()
    try:
        found = set(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())
    except SQLAlchemyError:
        return "none was applied"
    if not found:
        return "none was applied"
    return None if head in found or not found <= known else "the tables are older than this version"


@cache
def _revisions() -> tuple[str | None, frozenset[str]]:
    scripts = ScriptDirectory(str(MIGRATIONS))
    return scripts.get_current_head(), frozenset(script.revision for script in scripts.walk_revisions())


def _config(database_url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["database_url"] = database_url
    return config
