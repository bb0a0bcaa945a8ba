"""Connections: one engine per process, and short read and write transactions on it."""

import fcntl
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from moderation import metrics
from moderation.services.tally import TALLY

# How long a writer waits for another process's write on SQLite before it gives up.
BUSY_SECONDS = 15
LOG_PAUSE_SECONDS = 0.02
# An error message must not quote the parameters of a statement: they hold comment text.
_ENGINE: dict[str, Any] = {"hide_parameters": True, "max_overflow": 4, "pool_timeout": 10}
CONNECTIONS = 20
# Nothing here takes long on purpose: a statement, a lock or an open transaction that does is a fault, and
# would hold up everybody else. A lost machine is noticed within half a minute, not when TCP gives up.
_POSTGRESQL: dict[str, Any] = {
    "options": "-c statement_timeout=30s -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s",
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
# To PostgreSQL's driver these are errors of the statement, though only time or another server can help:
# a transaction ended for being idle or long, and a server that is a standby.
_PASSING = {"25P03", "25P04", "25006"}


class Unavailable(Exception):
    """The database is away, locked too long, out of room or connections; trying again may help."""


_NOT_LASTING = text("SET LOCAL synchronous_commit TO off")


@dataclass(frozen=True)
class Database:
    """An engine and, on SQLite, the queue of its writers.

    SQLite allows one writer at a time and lets the others sleep and try again, longer each time. A lock for
    the threads of this process and a file lock for the other processes wake the next one at once.
    """

    engine: Engine
    _writers: threading.RLock = field(default_factory=threading.RLock)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that changes nothing."""
        with self._session() as session:
            yield session

    @contextmanager
    def write(self, *, lasting: bool = True) -> Iterator[Session]:
        """A transaction that is committed at the end of the block, or rolled back by an exception.

        One that is not lasting is not waited for until it is on the disk. It survives the death of a
        process all the same, but a power failure may take it: for what is only good for seconds.
        """
        with self._turn_to_write(), self._session() as session:
            # On SQLite a writer must begin as one: a reader cannot become a writer once another wrote.
            options = {
                "sqlite_begin": "BEGIN IMMEDIATE",
                "sqlite_synchronous": "FULL" if lasting else "NORMAL",
            }
            connection = session.connection(execution_options=options)
            if not lasting and not self.is_sqlite:
                connection.execute(_NOT_LASTING)
            yield session
            session.commit()
            metrics.committed(session.info.get(TALLY, ()))

    @contextmanager
    def _turn_to_write(self) -> Iterator[None]:
        path = self.engine.url.database
        if not self.is_sqlite or not path:
            yield
            return
        # Opened anew each time: a forked child must not share its parent's turn. The kernel ends the turn
        # of a process that dies.
        with self._writers, Path(f"{path}-writers").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _session(self) -> Iterator[Session]:
        try:
            with Session(self.engine, expire_on_commit=False) as session:
                yield session
        except (DBAPIError, PoolTimeoutError) as error:
            if not _passes(error):
                raise
            # The kind alone: what a server says may quote the row it refused.
            raise Unavailable(type(getattr(error, "orig", error)).__name__) from error

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    def trouble(self) -> str | None:
        """The kind of error that a query meets now; None when the database answers."""
        try:
            with self.engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except SQLAlchemyError as error:
            return type(error).__name__
        return None


def open_database(url: str, name: str = "greenroom", connections: int = CONNECTIONS) -> Database:
    """Make the engine for a URL; nothing is connected yet.

    PostgreSQL shows the name for each connection. `connections` are kept; a few more may open at a peak.
    """
    where = make_url(url)
    if where.get_backend_name() == "sqlite":
        return Database(_sqlite_engine(url, connections))
    # What the URL says itself is the owner's wish.
    ours = {"application_name": name} | _POSTGRESQL
    arguments = {key: value for key, value in ours.items() if key not in where.query}
    # Asked before each use: after a restart of the server no request meets a connection of before.
    pool = {"pool_size": connections, "pool_pre_ping": True, "pool_use_lifo": True}
    return Database(create_engine(url, connect_args=arguments, **pool, **_ENGINE))


def _passes(error: Exception) -> bool:
    """Whether the trouble may be over by the next try."""
    if isinstance(error, DBAPIError) and not isinstance(error, OperationalError):
        return error.connection_invalidated or getattr(error.orig, "sqlstate", None) in _PASSING
    return True


def _sqlite_engine(url: str, connections: int) -> Engine:
    path = make_url(url).database
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    arguments = {"timeout": BUSY_SECONDS, "check_same_thread": False}
    engine = create_engine(url, connect_args=arguments, pool_size=connections, pool_use_lifo=True, **_ENGINE)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver must not open transactions by itself: it would begin as a reader and fail to become a
    # writer when another process wrote in between.
    connection.isolation_level = None
    _keep_a_log(connection)
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    # SQLite's own knows the letters of ASCII only, and a search would miss what PostgreSQL finds.
    connection.create_function("lower", 1, _lower, deterministic=True)


def _keep_a_log(connection: Any) -> None:
    """Write ahead, for a file that may just now be turned to it by another process.

    That needs the file for itself, and SQLite does not wait for it where it would wait for a lock.
    """
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(LOG_PAUSE_SECONDS)


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    wanted = options.get("sqlite_synchronous")
    # It cannot be changed within a transaction, and the connection keeps it for the next one.
    if wanted is not None and wanted != connection.info.get("synchronous", "FULL"):
        connection.exec_driver_sql(f"PRAGMA synchronous={wanted}")
        connection.info["synchronous"] = wanted
    connection.exec_driver_sql(options.get("sqlite_begin", "BEGIN"))


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value
