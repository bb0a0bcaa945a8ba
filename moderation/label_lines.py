"""Labels as JSON Lines: the one form in which both the API and the command line read and write them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from marshmallow import ValidationError
from sqlalchemy.orm import Session

from moderation.schemas.fields import utc_text
from moderation.schemas.learning import LabelLineSchema
from moderation.services.errors import NotAllowed, NotFound
from moderation.services.labels import LabelledComment, has_comment, label_comment, label_text

LONGEST_LINE = 256 * 1024


@dataclass
class Import:
    """How many lines were taken, and which were not: line number and reason."""

    taken: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)


def take_lines(session: Session, lines: Iterable[bytes], now: datetime) -> Import:
    """Store the labels of every good line; a bad one is noted and the rest go on."""
    result = Import()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        problem = _take(session, line, now)
        if problem is None:
            result.taken += 1
        else:
            result.problems.append((number, problem))
    return result


def to_line(one: LabelledComment) -> str:
    """One example as a line that `take_lines` reads."""
    more = {"comment_id": one.comment_id, "labels": one.labels, "source": one.source, "at": utc_text(one.at)}
    return json.dumps({**one.comment, **more}, ensure_ascii=False) + "\n"


def _take(session: Session, line: bytes, now: datetime) -> str | None:
    if len(line) > LONGEST_LINE:
        return f"longer than {LONGEST_LINE} bytes"
    try:
        data: dict[str, Any] = LabelLineSchema().load(json.loads(line))
        _store(session, data, now)
    except ValidationError as error:
        # Names of members and what is wrong with them; never their content.
        return json.dumps(error.messages)
    except (ValueError, RecursionError):
        return "not a JSON object in UTF-8"
    except (NotFound, NotAllowed) as error:
        return str(error)
    return None


def _store(session: Session, data: dict[str, Any], now: datetime) -> None:
    comment_id, body = data.get("comment_id"), data.get("body")
    # The time it was learned decides which labels teach and which judge; the future is no such time.
    at = min(data.get("at") or now, now)
    if not comment_id and not body:
        raise ValidationError({"body": ["Give a comment_id or a body."]})
    # An export carries both, and read at another installation only the text means anything.
    if comment_id and (not body or has_comment(session, comment_id)):
        label_comment(session, comment_id, data["labels"], at)
    else:
        comment = {name: data[name] for name in ("body", "author", "thread") if data.get(name)}
        label_text(session, comment, data["labels"], at)
