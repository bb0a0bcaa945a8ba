"""X-Request-Id: taken from a proxy if it is sane, made otherwise, and found again everywhere."""

import json
import logging
import re

import pytest

from moderation import logs
from moderation.services.access import NewSite
from tests.conftest import Api

MADE = re.compile(r"[0-9a-f]{16}")


class Lines(logging.Handler):
    """Keeps what would have been written."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logs.JsonLines())
        self.lines: list[dict[str, object]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(json.loads(self.format(record)))


@pytest.fixture
def written(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    """Every line of our own loggers at level debug."""
    caplog.set_level(logging.DEBUG, logger="moderation")
    handler = Lines()
    logging.getLogger("moderation").addHandler(handler)
    yield handler.lines
    logging.getLogger("moderation").removeHandler(handler)


@pytest.mark.parametrize("sent", ["abc-123", "9f1c2b", "Root=1-5759e988-bd862e3fe1be46a994272793", "a/b;o=1"])
def test_an_id_that_a_proxy_gave_is_kept(api: Api, sent: str) -> None:
    assert api.call("GET", "/healthz", headers={"X-Request-Id": sent}).headers["X-Request-Id"] == sent


@pytest.mark.parametrize(
    "sent", ["", " ", "two words", "a" * 65, "someone@example.org", "<script>", "é", '"quoted"']
)
def test_an_id_that_could_be_a_text_is_replaced(api: Api, sent: str) -> None:
    answered = api.call("GET", "/healthz", headers={"X-Request-Id": sent}).headers["X-Request-Id"]
    assert MADE.fullmatch(answered)


def test_each_request_has_its_own(api: Api) -> None:
    assert len({api.call("GET", "/healthz").headers["X-Request-Id"] for _ in range(20)}) == 20


def test_a_problem_names_it_too(api: Api) -> None:
    answer = api.call("GET", "/api/v1/nothing", headers={"X-Request-Id": "abc"})
    assert answer.get_json()["request_id"] == "abc"


def test_it_is_on_every_line_of_the_request_and_on_none_after_it(
    api: Api, alma: NewSite, written: list[dict[str, object]]
) -> None:
    comment = {"thread": {"id": "t"}, "author": {"name": "R"}, "body": "A kind word."}
    headers = {"X-Request-Id": "abc"}
    answer = api.call("POST", "/api/v1/comments", alma.secret_key, json=comment, headers=headers)
    told = {str(one["message"]): one for one in written}
    assert told["accepted"]["comment_id"] == answer.get_json()["id"]
    assert (
        told["answered"].items()
        >= {
            "method": "POST",
            "route": "/api/v1/comments",
            "status": 202,
        }.items()
    )
    assert {one["request_id"] for one in written} == {"abc"}
    logging.getLogger("moderation.test").debug("later")
    assert "request_id" not in written[-1]
