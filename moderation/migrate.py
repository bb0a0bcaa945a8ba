"""Bring the database's schema up to date, or back, with the migrations of this package."""

import logging
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"
# While a migration waits for a lock on a table, everybody who comes later waits behind it. So it waits
# briefly, lets them pass and tries again.
LOCK_SECONDS = 2.0
PAUSE_SECONDS = 1.0
ATTEMPTS = 60
LOCK_NOT_AVAILABLE = "55P03"


def upgrade(database_url: str, revision: str = "head") -> None:
    """Apply every migration up to `revision`; doing it twice is harmless."""
    _patiently(lambda: command.upgrade(_config(database_url), revision))


def downgrade(database_url: str, revision: str) -> None:
    """Undo migrations down to `revision` ("base" for all of them)."""
    _patiently(lambda: command.downgrade(_config(database_url), revision))


def _patiently(migrate: Callable[[], None]) -> None:
    """Again and again while a lock cannot be had; what was applied by then stays applied."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            migrate()
            return
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE or attempt == ATTEMPTS:
                raise
        log.info("a table is in use; trying again (%d of %d)", attempt, ATTEMPTS)
        time.sleep(PAUSE_SECONDS)


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
    config.attributes["lock_seconds"] = LOCK_SECONDS
    return config
