"""Labels as JSON Lines: the one form in which both the API and the command line read and write them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from marshmallow import ValidationError
from sqlalchemy.orm import Session

from moderation.database import Database
from moderation.schemas.fields import utc_text
from moderation.schemas.learning import LabelLineSchema
from moderation.services.errors import NotAllowed, NotFound
from moderation.services.labels import LabelledComment, has_comment, label_comment, label_text

LONGEST_LINE = 256 * 1024
# Lines of one commit: on SQLite whoever writes keeps everybody else from it, and a comment waits no longer.
LINES_TOGETHER = 200
LINE = LabelLineSchema()


@dataclass
class Import:
    """How many lines were taken, and which were not: line number and reason."""

    taken: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)

    def count(self, number: int, problem: str | None) -> None:
        """Note what became of a line."""
        if problem is None:
            self.taken += 1
        else:
            self.problems.append((number, problem))


def take_lines(database: Database, lines: Iterable[bytes], now: datetime) -> Import:
    """Store the labels of every good line; a bad one is noted and the rest go on.

    In pieces, each of its own commit: what was stored before an interruption stays, and the same lines once
    more change nothing about it.
    """
    result = Import()
    numbered = enumerate(lines, start=1)
    while piece := list(islice(numbered, LINES_TOGETHER)):
        # Read before the transaction begins, which gives others their turn.
        read = [(number, _read(line)) for number, line in piece if line.strip()]
        with database.write() as session:
            for number, data in read:
                result.count(number, data if isinstance(data, str) else _store(session, data, now))
    return result


def to_line(one: LabelledComment) -> str:
    """One example as a line that `take_lines` reads."""
    more = {"comment_id": one.comment_id, "labels": one.labels, "source": one.source, "at": utc_text(one.at)}
    return json.dumps({**one.comment, **more}, ensure_ascii=False) + "\n"


def _read(line: bytes) -> dict[str, Any] | str:
    """What a line holds, or what is wrong with it."""
    if len(line) > LONGEST_LINE:
        return f"longer than {LONGEST_LINE} bytes"
    try:
        data: dict[str, Any] = LINE.load(json.loads(line))
    except ValidationError as error:
        # Names of members and what is wrong with them; never their content.
        return json.dumps(error.messages)
    except (ValueError, RecursionError):
        return "not a JSON object in UTF-8"
    if not data.get("comment_id") and not data.get("body"):
        return json.dumps({"body": ["Give a comment_id or a body."]})
    return data


def _store(session: Session, data: dict[str, Any], now: datetime) -> str | None:
    comment_id, body = data.get("comment_id"), data.get("body")
    # The time it was learned decides which labels teach and which judge; the future is no such time.
    at = min(data.get("at") or now, now)
    # An export carries both, and read at another installation only the text means anything.
    if comment_id and (not body or has_comment(session, comment_id)):
        try:
            label_comment(session, comment_id, data["labels"], at)
        except (NotFound, NotAllowed) as error:
            return str(error)
    else:
        comment = {name: data[name] for name in ("body", "author", "thread") if data.get(name)}
        label_text(session, comment, data["labels"], at)
    return None
