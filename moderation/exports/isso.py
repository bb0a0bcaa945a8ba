"""Isso: its SQLite database, read as it lies there."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from moderation.exports.found import Fate, FoundComment, FoundThread, NotAnExport, time_from

_FATES = {1: Fate.APPROVED, 2: Fate.PENDING, 4: Fate.DELETED}
_COMMENTS = """SELECT comments.id, comments.parent, comments.created, comments.mode, comments.remote_addr,
    comments.text, comments.author, comments.email, comments.website,
    threads.id AS thread, threads.uri, threads.title, oldest.created AS since
    FROM comments LEFT JOIN threads ON threads.id = comments.tid
    LEFT JOIN (SELECT tid, min(created) AS created FROM comments GROUP BY tid) AS oldest
    ON oldest.tid = comments.tid
    ORDER BY comments.id"""


def read_isso(path: str) -> Iterator[FoundComment]:
    """The comments in the order they came; raises NotAnExport."""
    try:
        # Read only: Isso may be running.
        with closing(sqlite3.connect(f"{Path(path).resolve().as_uri()}?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            # What is no UTF-8 must cost one comment and not the rest.
            database.text_factory = _text
            yield from map(_comment, database.execute(_COMMENTS))
    except sqlite3.Error as error:
        raise NotAnExport(f"this is no readable database of Isso: {error}") from None


def _text(stored: bytes) -> str:
    return stored.decode("utf-8", "surrogateescape")


def _comment(row: Any) -> FoundComment:
    mode = row["mode"]
    uri = _string(row["uri"])
    return FoundComment(
        id=_string(row["id"]),
        # Neither accepted nor deleted: left to the policy.
        fate=_FATES.get(mode, Fate.PENDING) if isinstance(mode, int) else Fate.PENDING,
        body=_string(row["text"]),
        # Where a page is, is all that Isso knows it by.
        thread=FoundThread(uri, uri, _string(row["title"]), _time(row["since"])),
        author={
            "name": _string(row["author"]),
            "email": _string(row["email"]),
            "url": _string(row["website"]),
            "ip": _string(row["remote_addr"]),
        },
        at=_time(row["created"]),
        parent=_string(row["parent"]),
    )


def _string(value: Any) -> str:
    return "" if value is None or isinstance(value, bytes) else str(value)


def _time(value: Any) -> datetime | None:
    try:
        return time_from(datetime.fromtimestamp(float(value), UTC).isoformat())
    except (TypeError, ValueError, OverflowError, OSError):
        return None
