"""Log lines: one shape, known members only, and never what an error says."""

import json
import logging
import re
import sys
from pathlib import Path

import pytest

from moderation import logs, metrics
from moderation.web_log import OneShape
from tests.conftest import make_settings

SECRET_TEXT = "a comment nobody else should read"


def record(
    message: str = "something happened", level: int = logging.INFO, **members: object
) -> logging.LogRecord:
    made = logging.LogRecord("moderation.api.problems", level, "file.py", 1, message, (), None)
    made.__dict__.update(members)
    return made


def line(one: logging.LogRecord) -> dict[str, object]:
    found: dict[str, object] = json.loads(logs.JsonLines().format(one))
    return found


def test_a_json_line_has_time_level_logger_message_and_members() -> None:
    found = line(record(status=404, route="/healthz"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(found.pop("time")))
    assert found == {
        "level": "info",
        "logger": "moderation.api.problems",
        "message": "something happened",
        "route": "/healthz",
        "status": 404,
    }


def test_a_line_stays_one_line_whatever_the_message_holds() -> None:
    text = logs.JsonLines().format(record('two\nlines, "quotes" and \ud800 alone'))
    assert "\n" not in text
    assert json.loads(text)["message"] == 'two\nlines, "quotes" and \ud800 alone'


def test_a_member_nobody_named_is_left_out() -> None:
    assert "arguments" not in line(record(arguments=(SECRET_TEXT,), body=SECRET_TEXT))


def fail() -> None:
    raise ValueError(SECRET_TEXT)


def test_an_error_is_told_without_its_message() -> None:
    try:
        fail()
    except ValueError:
        failed = record(exc_info=sys.exc_info())
    found = line(failed)
    assert (found["error"], SECRET_TEXT in json.dumps(found)) == ("ValueError", False)
    assert "test_an_error_is_told_without_its_message" in str(found["trace"])
    text = logs.TextLines().format(failed)
    assert text.endswith("ValueError")
    assert SECRET_TEXT not in text


def test_what_is_bound_is_on_every_line_until_the_end_of_the_block() -> None:
    with logs.bound(job_id="j1", queue="scoring"):
        with logs.bound(job_id="j2"):
            assert line(record())["job_id"] == "j2"
        assert line(record())["job_id"] == "j1"
        assert line(record())["queue"] == "scoring"
        assert "job_id=j1 queue=scoring" in logs.TextLines().format(record())
    assert "job_id" not in line(record())


def test_a_line_at_level_error_is_counted_by_the_part_that_wrote_it() -> None:
    before = errors("web"), errors("database"), errors("redis")
    handler = logs.CountErrors()
    handler.handle(record(level=logging.ERROR))
    handler.handle(record(level=logging.ERROR, kind="database"))
    handler.handle(record(level=logging.WARNING))
    assert (errors("web"), errors("database"), errors("redis")) == (before[0] + 1, before[1] + 1, before[2])


def errors(kind: str) -> float:
    value: float = metrics._child(metrics.ERRORS, (kind,))._value.get()
    return value


@pytest.mark.parametrize(
    ("logger", "kind"),
    [
        ("workers.scoring", "scoring"),
        ("moderation.jobs", "redis"),
        ("gunicorn.error", "server"),
        ("rq.worker", "job"),
        ("somebody.else", "other"),
    ],
)
def test_the_kind_of_an_error_follows_from_its_logger(logger: str, kind: str) -> None:
    assert logs.kind_of(logger) == kind


@pytest.mark.parametrize(
    ("chosen", "terminal", "as_json"),
    [
        ("auto", True, False),
        ("auto", False, True),
        ("text", False, False),
        ("json", True, True),
    ],
)
def test_the_shape_is_the_one_chosen(
    chosen: str, terminal: bool, as_json: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handlers: list[logging.Handler] = []
    monkeypatch.setattr(logging, "basicConfig", lambda **given: handlers.extend(given["handlers"]))
    monkeypatch.setattr(logging, "captureWarnings", lambda _: None)
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    logs.set_up(make_settings("sqlite://", tmp_path, LOG_FORMAT=chosen))
    assert isinstance(handlers[0].formatter, logs.JsonLines) == as_json


def test_a_program_that_logs_already_is_left_alone(tmp_path: Path) -> None:
    hook = sys.excepthook
    logs.set_up(make_settings("sqlite://", tmp_path, LOG_FORMAT="json"))
    assert sys.excepthook is hook
    assert not [h for h in logging.getLogger().handlers if isinstance(h.formatter, logs.JsonLines)]


def test_gunicorns_lines_go_the_way_of_all_lines(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from gunicorn.config import Config

    monkeypatch.setenv("GREENROOM_HOME", str(tmp_path))
    log = OneShape(Config())
    log.exception("Error handling request %s", "/api/v1/comments/c_1?receipt=swordfish")  # noqa: LOG004
    assert caplog.messages == ["Error handling request /api/v1/comments/c_1"]
    assert not log.error_log.handlers
