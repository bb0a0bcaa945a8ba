"""Connections: one engine per process, and short read and write transactions on it."""

import fcntl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

# How long a writer waits for another process's write on SQLite before it gives up.
BUSY_SECONDS = 15
# An error message must not quote the parameters of a statement: they hold comment text.
_ENGINE: dict[str, Any] = {"pool_size": 20, "max_overflow": 20, "hide_parameters": True}

# What the drivers raise while the database is away, locked for too long or has no room left; a caller may
# try again. The doors know it by this name, so that they need not know SQL.
Unavailable = OperationalError

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

    def _session(self) -> Session:
        return Session(self.engine, expire_on_commit=False)

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


def open_database(url: str) -> Database:
    """Make the engine for a URL; nothing is connected yet."""
    if make_url(url).get_backend_name() == "sqlite":
        return Database(_sqlite_engine(url))
    return Database(create_engine(url, pool_pre_ping=True, **_ENGINE))


def _sqlite_engine(url: str) -> Engine:
    path = make_url(url).database
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False}, **_ENGINE)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver must not open transactions by itself: it would begin as a reader and fail to become a
    # writer when another process wrote in between.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    wanted = options.get("sqlite_synchronous")
    # It cannot be changed within a transaction, and the connection keeps it for the next one.
    if wanted is not None and wanted != connection.info.get("synchronous", "FULL"):
        connection.exec_driver_sql(f"PRAGMA synchronous={wanted}")
        connection.info["synchronous"] = wanted
    connection.exec_driver_sql(options.get("sqlite_begin", "BEGIN"))
