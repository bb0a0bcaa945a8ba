"""What surrounds every request: its id on each log line and in the answer, its count and its time."""

import logging
import random
import re
from time import perf_counter

from flask import Flask, Response, request

from moderation import logs, metrics

log = logging.getLogger(__name__)

HEADER = "X-Request-Id"
# As proxies make them. Anything longer or stranger could smuggle a text into the logs.
SANE = re.compile(r"[A-Za-z0-9._=+/:;-]{1,64}", re.ASCII)
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
UNMATCHED = "unmatched"
CLASSES = [f"{n}xx" for n in range(10)]
_ID, _BEGUN = "greenroom.request_id", "greenroom.begun"


def watch_requests(app: Flask) -> None:
    """Must come before all else that is done before a request, so that it sees the last of each answer."""
    app.before_request(_begin)
    app.after_request(_answered)
    app.teardown_request(_forget)


def request_id() -> str:
    """The id of this request."""
    found: str = request.environ.get(_ID, "")
    return found


def route() -> str:
    """The template of the path asked for: a path itself could hold anything, and there are endless ones."""
    rule = request.url_rule
    return UNMATCHED if rule is None else rule.rule


def _begin() -> None:
    # Kept in the environment of the request: `g` and `request` cost a microsecond each time they are asked.
    environ = request.environ
    environ[_BEGUN] = perf_counter()
    shown = environ.get("HTTP_X_REQUEST_ID")
    own = shown if shown and SANE.fullmatch(shown) else f"{random.getrandbits(64):016x}"
    environ[_ID] = own
    logs.bind(request_id=own)


def _answered(response: Response) -> Response:
    environ = request.environ
    if _BEGUN not in environ:
        return response
    seconds = perf_counter() - environ[_BEGUN]
    response.headers.set(HEADER, environ[_ID])
    method, template, status = environ["REQUEST_METHOD"], route(), response.status_code
    if method not in METHODS:
        method = metrics.OTHER
    metrics.add(metrics.REQUESTS, method, template, CLASSES[status // 100])
    metrics.observe(metrics.REQUEST_SECONDS, seconds, method, template)
    if log.isEnabledFor(logging.DEBUG):
        told = {"method": method, "route": template, "status": status}
        log.debug("answered", extra={**told, "milliseconds": round(1000 * seconds, 2)})
    return response


def _forget(_error: BaseException | None) -> None:
    logs.bind()
