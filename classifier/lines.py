"""Comments as JSON Lines: a line that is not valid gets an error of its own, and the rest go on."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple

from classifier.categories import CATEGORIES
from classifier.model import Classifier

MAX_BODY_CHARACTERS = 20_000
# The longest body escaped in the widest way, with room for the other members.
MAX_LINE_BYTES = 512 * 1024
MAX_BATCH_LINES = 512
MAX_BATCH_BYTES = 1024 * 1024

_MEMBERS: Mapping[str, tuple[str, ...]] = {"author": ("name", "email", "url"), "thread": ("title",)}
_REFUSED = re.compile("[\x00\ud800-\udfff]")


class InvalidLine(ValueError):
    """Why a line is not a comment; the text names members, never their content."""


class Line(NamedTuple):
    """What a line held: its id, and a comment or an error."""

    id: Any
    comment: dict[str, Any] | None
    error: str | None = None


def read_batches(stream: BinaryIO) -> Iterator[list[bytes]]:
    """Lines in bounded batches; each holds what has arrived, so a slow pipe is answered line by line.

    A line over MAX_LINE_BYTES arrives as its first part, which no longer is valid JSON.
    """
    read = getattr(stream, "read1", stream.read)
    rest, skipping = b"", False
    while block := read(MAX_BATCH_BYTES):
        *lines, rest = (rest + block).split(b"\n")
        if skipping and lines:
            lines, skipping = lines[1:], False
        if skipping:
            rest = b""
        elif len(rest) > MAX_LINE_BYTES:
            lines, rest, skipping = [*lines, rest[: MAX_LINE_BYTES + 1]], b"", True
        yield from (lines[i : i + MAX_BATCH_LINES] for i in range(0, len(lines), MAX_BATCH_LINES))
    if rest:
        yield [rest]


def score_lines(
    classifier: Classifier, lines: Sequence[bytes], *, explain: bool = False
) -> list[dict[str, Any]]:
    """One answer per line, in order: {"id", "scores", "model_version", "spans"?} or {"id", "error"}."""
    parsed = [parse_line(line) for line in lines]
    comments = [line.comment for line in parsed if line.comment is not None]
    scores = iter(classifier.score(comments).tolist())
    spans = iter(classifier.explain(comments)) if explain else iter(())
    return [_answer(line, scores, spans, classifier.version, explain=explain) for line in parsed]


def parse_line(line: bytes) -> Line:
    """A comment from one line.

    >>> parse_line(b'{"id": 7, "body": "hi"}')
    Line(id=7, comment={'body': 'hi'}, error=None)
    >>> parse_line(b'{"id": 7, "text": "hi"}').error
    "unknown member 'text'"
    """
    identity = None
    try:
        value = _decoded(line)
        identity = value.pop("id", None)
        return Line(identity, check_comment(value))
    except InvalidLine as error:
        return Line(identity, None, str(error))


def check_comment(value: dict[str, Any]) -> dict[str, Any]:
    """A comment whose members are known and of the right types, else InvalidLine."""
    _only(value, ("body", *_MEMBERS), "")
    if "body" not in value:
        raise InvalidLine("'body' is missing")
    body = _text(value["body"], "body")
    if not body.strip():
        raise InvalidLine("'body' is empty")
    if len(body.strip()) > MAX_BODY_CHARACTERS:
        raise InvalidLine(f"'body' is longer than {MAX_BODY_CHARACTERS} characters")
    for name, members in _MEMBERS.items():
        part = value.get(name)
        if part is None:
            continue
        if not isinstance(part, dict):
            raise InvalidLine(f"'{name}' is not an object")
        _only(part, members, f"{name}.")
        for member, text in part.items():
            if text is not None:
                _text(text, f"{name}.{member}")
    return value


def check_labels(value: Any) -> dict[str, bool]:
    """Labels of a line: {category: true or false}; null is unknown."""
    if not isinstance(value, dict):
        raise InvalidLine("'labels' is not an object")
    _only(value, CATEGORIES, "labels.")
    for category, label in value.items():
        if label is not None and not isinstance(label, bool):
            raise InvalidLine(f"'labels.{category}' is neither true nor false")
    return {category: label for category, label in value.items() if label is not None}


def decode_object(line: bytes) -> dict[str, Any]:
    """The JSON object of a line, else InvalidLine."""
    return _decoded(line)


def _decoded(line: bytes) -> dict[str, Any]:
    if len(line) > MAX_LINE_BYTES:
        raise InvalidLine(f"the line is longer than {MAX_LINE_BYTES} bytes")
    try:
        value = json.loads(line.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        raise InvalidLine("the line is not UTF-8") from None
    except (ValueError, RecursionError):
        raise InvalidLine("the line is not JSON") from None
    if not isinstance(value, dict):
        raise InvalidLine("the line is not an object")
    return value


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _only(value: Mapping[str, Any], known: Iterable[str], prefix: str) -> None:
    for name in value:
        if name not in known:
            raise InvalidLine(f"unknown member {f'{prefix}{name}'[:80]!r}")


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise InvalidLine(f"'{name}' is not a string")
    if _REFUSED.search(value):
        raise InvalidLine(f"'{name}' holds a NUL or a lone surrogate")
    return value


def _answer(line: Line, scores: Any, spans: Any, version: str, *, explain: bool) -> dict[str, Any]:
    if line.comment is None:
        return {"id": line.id, "error": line.error}
    rounded = {category: round(score, 6) for category, score in zip(CATEGORIES, next(scores), strict=True)}
    answer = {"id": line.id, "scores": rounded, "model_version": version}
    if explain:
        answer["spans"] = [
            {"start": span.start, "end": span.end, "category": span.category, "weight": round(span.weight, 4)}
            for span in next(spans)
        ]
    return answer
