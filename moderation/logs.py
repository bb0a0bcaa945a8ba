"""One shape of log line for every process: text for a terminal, a JSON object a line for machines.

A line never holds comment text, names, addresses or keys. So an error is told by its type and the places it
went through, not by its message, and only the members named here are written, whatever a library adds. Own
code: these few rules are what python-json-logger or structlog would have to be taught.
"""

import json
import logging
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar, Token
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from moderation import metrics
from moderation.settings import Settings

# Beside time, level, logger, message, error and trace; docs/operations.md lists the same.
MEMBERS = (
    *("request_id", "method", "route", "status", "milliseconds"),
    *("job_id", "queue", "run_id", "submission_id", "comment_id", "endpoint_id"),
    *("taken", "decided", "judged_ms", "recorded_ms"),
)
# Which kind of `greenroom_errors_total` a logger's lines at level error are.
KINDS = {
    "moderation.api": "web",
    "moderation.jobs": "redis",
    "workers.scoring": "scoring",
    "workers.retraining": "retraining",
    "workers.webhooks": "webhooks",
    "workers.sweeper": "sweeper",
    "workers.worker": "job",
    "rq": "job",
    "gunicorn": "server",
}
Bound = tuple[tuple[str, Any], ...]
_bound: ContextVar[Bound] = ContextVar("bound", default=())


def set_up(settings: Settings) -> None:
    """Log to stderr as the settings say; a second call, or a program that logs already, changes nothing."""
    if logging.getLogger().handlers:
        return
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    lines = logging.StreamHandler()
    lines.setFormatter(JsonLines() if as_json else TextLines())
    logging.basicConfig(level=settings.log_level.upper(), handlers=[lines, CountErrors(logging.WARNING)])
    # Alembic tells its context at INFO on every start.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    if as_json:
        logging.captureWarnings(True)
        sys.excepthook = _tell_the_end


@contextmanager
def bound(**members: Any) -> Iterator[None]:
    """Put these members on every line logged during the block."""
    token = bind(**members)
    try:
        yield
    finally:
        _bound.reset(token)


def bind(**members: Any) -> Token[Bound]:
    """Put these members on every line from here on, in this thread; nothing else stays on them."""
    return _bound.set(tuple(members.items()))


def each(log: logging.Logger, message: str, member: str, ids: Sequence[str]) -> None:
    """At level debug, a line for each id; a batch of hundreds is one line otherwise."""
    if log.isEnabledFor(logging.DEBUG):
        for one in ids:
            log.debug(message, extra={member: one})


class JsonLines(logging.Formatter):
    """A line as a JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_members(record),
            **_error(record),
        }
        return json.dumps(line, default=str)


class TextLines(logging.Formatter):
    """A line for people: the members follow the message."""

    def format(self, record: logging.LogRecord) -> str:
        members = "".join(f" {name}={value}" for name, value in _members(record).items())
        line = f"{_time(record)} {record.levelname} {record.name} {record.getMessage()}{members}"
        error = _error(record)
        return f"{line}\n{error['trace']}{error['error']}" if error else line


class CountErrors(logging.Handler):
    """Counts lines at level error, and warnings of a lost Redis, by the part that wrote them."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR or record.name == "moderation.jobs":
            metrics.add(metrics.ERRORS, getattr(record, "kind", None) or kind_of(record.name))


def told(error: BaseException) -> dict[str, str]:
    """An exception as members of a line: never its message, whoever formats the line."""
    return {"error": type(error).__name__, "trace": "".join(traceback.format_tb(error.__traceback__))}


def kind_of(logger: str) -> str:
    """The kind of error a logger tells of."""
    return next((kind for name, kind in KINDS.items() if logger.startswith(name)), metrics.OTHER)


def _members(record: logging.LogRecord) -> dict[str, Any]:
    known = {**dict(_bound.get()), **record.__dict__}
    return {name: known[name] for name in MEMBERS if name in known}


def _error(record: logging.LogRecord) -> dict[str, str]:
    """An exception without its message, which may quote a comment."""
    if record.exc_info and record.exc_info[1] is not None:
        return told(record.exc_info[1])
    return {name: record.__dict__[name] for name in ("error", "trace") if name in record.__dict__}


def _time(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    return at.replace("+00:00", "Z")


def _tell_the_end(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger("greenroom").critical("an error ends the process", exc_info=(kind, error, trace))
