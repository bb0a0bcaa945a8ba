"""Reading requests: strict JSON and headers with a meaning."""

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Request, request
from flask_smorest import Blueprint
from marshmallow import Schema, ValidationError
from webargs.flaskparser import FlaskParser

from moderation.api.problems import Problem, invalid
from moderation.services.accept import Idempotency

View = TypeVar("View", bound=Callable[..., Any])

_IDEMPOTENCY_KEY = re.compile(r"^[\x21-\x7e]{1,255}$")
_WAIT = re.compile(r"(?:^|[,;\s])wait=(\d{1,4})(?=$|[,;\s])")
LONGEST_WAIT = 10


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


# Made once: `json.loads` makes a new one for each body that it is to read strictly.
_STRICT = json.JSONDecoder(parse_constant=_refuse_constant)


def refuse_nul() -> None:
    """No id holds a NUL, and to PostgreSQL a text with one is an error."""
    if "\0" in request.path:
        raise Problem("not-found")


def read_json(incoming: Request) -> Any:
    """The JSON body; raises a Problem for another content type or a body that is no JSON."""
    return _decoded(incoming, _body(incoming))


def _body(incoming: Request) -> bytes:
    """Read in one go if its length is told, as it nearly always is; `get_data` goes through four streams."""
    length, most = incoming.content_length, incoming.max_content_length
    if length is None or most is None or length > most:
        return incoming.get_data()
    body: bytes = incoming.environ["wsgi.input"].read(length)
    if len(body) < length:
        raise Problem("malformed", "the body is shorter than its Content-Length")
    return body


def _decoded(incoming: Request, data: bytes) -> Any:
    if data and not incoming.is_json:
        raise Problem("wrong-content-type", "send application/json")
    try:
        return _STRICT.decode(data.decode(json.detect_encoding(data), "surrogatepass"))
    except (ValueError, RecursionError):
        raise Problem("malformed", "the body is not valid JSON in UTF-8") from None


def load(schema: Schema, data: Any) -> dict[str, Any]:
    """Check data with a schema; raises a Problem that points at what is wrong."""
    try:
        loaded: dict[str, Any] = schema.load(data)
        return loaded
    except ValidationError as error:
        raise invalid(error.normalized_messages()) from None  # type: ignore[no-untyped-call]


class StrictParser(FlaskParser):
    """webargs' parser with this project's JSON rules: an empty body is an empty object."""

    def load_json(self, req: Request, schema: Schema) -> Any:
        data = req.get_data()
        return _decoded(req, data) if data else {}


class ApiBlueprint(Blueprint):  # type: ignore[misc]
    """A blueprint whose arguments are read strictly."""

    ARGUMENTS_PARSER = StrictParser()

    @staticmethod
    def doc(**told: Any) -> Callable[[View], View]:
        """Describe a view; the library would call it from within a function that does nothing else."""
        return _beside(Blueprint.doc(**told))

    def alt_response(self, *status: Any, **told: Any) -> Callable[[View], View]:
        """Describe another answer of a view; as `doc`."""
        return _beside(super().alt_response(*status, **told))


def _beside(decorate: Callable[[View], Any]) -> Callable[[View], View]:
    def describe(view: View) -> View:
        # Where the library looks for it, on any function; no type of ours has such a member.
        view._apidoc = decorate(view)._apidoc  # type: ignore[attr-defined]
        return view

    return describe


def idempotency(data: Any) -> Idempotency | None:
    """The request's Idempotency-Key with a digest of what it stands for; raises a Problem."""
    key = request.environ.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return None
    if not _IDEMPOTENCY_KEY.match(key):
        raise Problem("malformed", "Idempotency-Key takes 1 to 255 printable ASCII characters")
    canonical = json.dumps(data, sort_keys=True, default=str, ensure_ascii=True)
    return Idempotency(key, hashlib.sha256(canonical.encode()).hexdigest())


def preferred_wait() -> int:
    """Seconds the caller would wait for the decision (RFC 7240), at most LONGEST_WAIT.

    A wait that cannot be read is ignored, as the RFC wants.
    """
    found = _WAIT.search(request.environ.get("HTTP_PREFER", ""))
    return min(int(found[1]), LONGEST_WAIT) if found else 0


def expected_version() -> int | None:
    """The version named by If-Match; None for `*`; raises a Problem when there is no header."""
    header = request.headers.get("If-Match")
    if header is None:
        raise Problem("if-match-required", 'send the version you saw, such as If-Match: "1"')
    tags = [tag.strip() for tag in header.split(",")]
    if "*" in tags:
        return None
    for tag in tags:
        if re.fullmatch(r'"\d{1,9}"|\d{1,9}', tag):
            return int(tag.strip('"'))
    # Not a tag of ours, so it cannot be the current one.
    return -1
