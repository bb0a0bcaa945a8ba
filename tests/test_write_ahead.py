"""A new SQLite file is turned to write ahead by whoever comes first; the others wait for it"""

import sqlite3
from dataclasses import dataclass
from typing import Any

import pytest

from moderation import database


@dataclass
class Busy:
    """A connection to a file that another process is turning."""

    refusals: int
    code: int = sqlite3.SQLITE_BUSY

    def execute(self, _statement: str) -> Any:
        if self.refusals:
            self.refusals -= 1
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = self.code
            raise error


def test_it_waits_for_the_one_who_does_it() -> None:
    connection = Busy(3)
    database._keep_a_log(connection)
    assert connection.refusals == 0


def test_it_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        database._keep_a_log(Busy(1_000_000))


def test_another_error_is_told_at_once() -> None:
    connection = Busy(5, sqlite3.SQLITE_READONLY)
    with pytest.raises(sqlite3.OperationalError):
        database._keep_a_log(connection)
    assert connection.refusals == 4
