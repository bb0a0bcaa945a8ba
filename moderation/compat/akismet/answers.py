"""Answers in this dialect: status 200, plain text, exactly these bytes, and headers."""

import json
from collections.abc import Mapping
from typing import Any

from flask import Response

SERVER = "greenroom"
THANKS = "Thanks for making the web a better place."
INVALID = "invalid"
HELP, PRO_TIP, GUID = "X-akismet-debug-help", "X-akismet-pro-tip", "X-akismet-guid"
ERROR, ALERT_CODE, ALERT_TEXT = "X-akismet-error", "X-akismet-alert-code", "X-akismet-alert-msg"
# "Site not in the key's list."
NOT_ITS_BLOG = "10404"


class Refused(Exception):
    """A call that is answered with a word or sentence of the dialect."""

    def __init__(
        self, text: str, help_text: str, headers: Mapping[str, str] | None = None, status: int = 200
    ) -> None:
        super().__init__(text)
        self.text, self.status = text, status
        self.headers = {HELP: help_text, **(headers or {})}


def say(text: str, headers: dict[str, str] | None = None, status: int = 200) -> Response:
    """Plain text without a line end: clients compare the whole of it."""
    return _answer(text, "text/plain; charset=utf-8", headers or {}, status)


def tell(value: Any) -> Response:
    """JSON of an endpoint that has JSON."""
    return _answer(json.dumps(value, separators=(",", ":")), "application/json", {}, 200)


def table(text: str) -> Response:
    """Comma-separated values."""
    return _answer(text, "text/csv; charset=utf-8", {}, 200)


def refusal(refused: Refused) -> Response:
    """The answer of a refused call."""
    return say(refused.text, refused.headers, refused.status)


def cannot_judge() -> Refused:
    """Neither true nor false, and a header: clients keep the comment back and ask again."""
    return Refused("error", "The comment cannot be judged now", {ERROR: "unavailable"})


def _answer(text: str, kind: str, headers: dict[str, str], status: int) -> Response:
    always = {"X-akismet-server": SERVER, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(text, status, {**always, **headers}, content_type=kind)
