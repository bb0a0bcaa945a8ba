"""Alembic's entry: run the migrations on the URL the caller gave."""

from alembic import context
from sqlalchemy import Connection, text

from moderation.database import open_database
from moderation.models import Base

# Any number: it only has to be the same for every process that migrates.
ADVISORY_LOCK = 713_902_114


def run() -> None:
    database = open_database(context.config.attributes["database_url"])
    try:
        with database.engine.connect() as connection:
            options = {"sqlite_begin": "BEGIN IMMEDIATE"} if database.is_sqlite else {}
            with connection.execution_options(**options).begin():
                _migrate(connection, database.is_sqlite)
    finally:
        database.engine.dispose()


def _migrate(connection: Connection, is_sqlite: bool) -> None:
    # Two machines starting at once must not both create the tables.
    if not is_sqlite:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=is_sqlite,
        transactional_ddl=True,
    )
    context.run_migrations()


run()
