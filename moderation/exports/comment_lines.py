"""Comments as JSON Lines: the plainest form, for a history that no other reader knows."""

import json
from collections.abc import Iterator
from typing import IO, Any

from moderation.exports.found import Fate, Found, FoundComment, FoundThread, Unreadable, time_from

LONGEST_LINE = 256 * 1024
_FATES = {str(fate): fate for fate in (Fate.APPROVED, Fate.SPAM, Fate.PENDING, Fate.DELETED)}


def read_comment_lines(source: IO[bytes]) -> Iterator[Found]:
    """A comment a line, as a blog hands it in, with its time and status."""
    for number, line in enumerate(_lines(source), start=1):
        if line.strip():
            yield _found(line, f"line {number}")


def _lines(source: IO[bytes]) -> Iterator[bytes]:
    """Lines; what is beyond the longest is passed over and not kept."""
    while line := source.readline(LONGEST_LINE + 1):
        rest = line
        while len(rest) > LONGEST_LINE and not rest.endswith(b"\n"):
            rest = source.readline(LONGEST_LINE + 1)
        yield line


def _found(line: bytes, where: str) -> Found:
    try:
        told = json.loads(line) if len(line) <= LONGEST_LINE else None
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        return Unreadable(where, f"no JSON object in UTF-8 of at most {LONGEST_LINE} bytes")
    if told.get("status") not in [*_FATES]:
        return Unreadable(where, f"its status is none of {', '.join(_FATES)}")
    return _comment(told)


def _comment(told: dict[str, Any]) -> FoundComment:
    thread, author = _object(told.get("thread")), _object(told.get("author"))
    return FoundComment(
        id=_string(told.get("id")),
        fate=_FATES[told["status"]],
        body=_string(told.get("body")),
        thread=FoundThread(
            _string(thread.get("id")),
            _string(thread.get("url")),
            _string(thread.get("title")),
            time_from(_string(thread.get("created_at"))),
        ),
        author={name: _string(author.get(name)) for name in ("name", "email", "url", "id", "ip")},
        at=time_from(_string(told.get("created_at"))),
        parent=_string(told.get("parent_id")),
    )


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _string(value: Any) -> str:
    """A text, or a number where that is an id."""
    is_plain = isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))
    return str(value) if is_plain else ""
