"""Alembic's entry: run the migrations on the URL the caller gave."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from alembic import context
from sqlalchemy import Connection, Engine, text

from moderation.database import open_database
from moderation.models import Base

# Any number: it only has to be the same for every process that migrates.
ADVISORY_LOCK = 713_902_114
TURN_PAUSE_SECONDS = 0.2


def run() -> None:
    attributes = context.config.attributes
    database = open_database(attributes["database_url"], "greenroom migrate", connections=2)
    migrate = _on_sqlite if database.is_sqlite else _on_postgresql
    try:
        migrate(database.engine)
    finally:
        database.engine.dispose()


def _on_sqlite(engine: Engine) -> None:
    # One transaction, begun as a writer: a second process waits, then finds nothing left to do.
    options = {"sqlite_begin": "BEGIN IMMEDIATE"}
    with engine.connect() as connection, connection.execution_options(**options).begin():
        _migrate(connection, render_as_batch=True)


def _on_postgresql(engine: Engine) -> None:
    """A transaction for each migration, so that one of them may step out of its own (see `online`)."""
    with _turn(engine), engine.connect() as connection:
        milliseconds = int(context.config.attributes["lock_seconds"] * 1000)
        connection.exec_driver_sql(f"SET lock_timeout = {milliseconds}; SET statement_timeout = 0")
        connection.commit()
        _migrate(connection, transaction_per_migration=True)


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """One machine at a time; the server ends the turn of one that dies.

    Asked for again and again instead of waited for: a statement that waits is a transaction that stays
    open, and `CREATE INDEX CONCURRENTLY` on the other machine would wait for its end in turn.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        mine = text("SELECT pg_try_advisory_lock(:key)")
        while not connection.scalar(mine, {"key": ADVISORY_LOCK}):
            time.sleep(TURN_PAUSE_SECONDS)
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ADVISORY_LOCK})


def _migrate(
    connection: Connection, *, render_as_batch: bool = False, transaction_per_migration: bool = False
) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        transactional_ddl=True,
        render_as_batch=render_as_batch,
        transaction_per_migration=transaction_per_migration,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
