"""How soon the doors answer that score in the web process; their clients give up after 0.8 to 1 second.

    python -m benchmarks.doors [--a-second N] [--seconds N] [--door NAME] [--store STORE] [--json FILE]

A whole installation, web server and scoring worker, and for each door requests at an even pace on eight
connections kept open, each with a text not seen before. Time runs from the moment a request was due, so that
a server that falls behind is charged for it. The first request after the start is told apart: the model is
read at the start of the process and not by whoever comes first. Exit status 1 if a request failed or the
slowest hundredth of a door took longer than `--limit` milliseconds.
"""

import argparse
import json
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from benchmarks.figures import keep, parser_for, percentiles
from benchmarks.installation import STORES, Installation, installation
from benchmarks.load import texts
from benchmarks.processes import end_in_order

JSON = "application/json"
CONNECTIONS = 8
WARM_UP = 50
PATIENCE_SECONDS = 10.0
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Door:
    """A request of a door for a text, with a site's secret key, and whether an answer's body is a verdict."""

    ask: Callable[[str, str], bytes]
    is_verdict: Callable[[bytes], bool]


def akismet(key: str, text: str) -> bytes:
    """comment-check, as most clients send it."""
    fields = {
        "api_key": key,
        "blog": "https://blog.example",
        "user_ip": "203.0.113.9",
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
        "permalink": "https://blog.example/a-post",
        "comment_type": "comment",
        "comment_author": "Reader",
        "comment_content": text,
    }
    return with_body("/1.1/comment-check", urlencode(fields).encode(), "application/x-www-form-urlencoded")


def perspective(key: str, text: str) -> bytes:
    """comments:analyze, as Coral sends it."""
    asked = {"comment": {"text": text}, "requestedAttributes": {"TOXICITY": {}}, "languages": ["en"]}
    return with_body(f"/v1alpha1/comments:analyze?key={key}", json.dumps(asked).encode(), JSON)


def openai(key: str, text: str) -> bytes:
    """A moderation of one text."""
    body = json.dumps({"input": text}).encode()
    return with_body("/v1/moderations", body, JSON, Authorization=f"Bearer {key}")


def with_body(path: str, body: bytes, kind: str, **headers: str) -> bytes:
    """The bytes of a POST; headers are further ones, with `_` for `-` in their names."""
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n{more}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


# A door of its own is one function and one line here.
DOORS = {
    "akismet": Door(akismet, lambda body: body in {b"true", b"false"}),
    "perspective": Door(perspective, lambda body: b"summaryScore" in body),
    "openai": Door(openai, lambda body: b"category_scores" in body),
}


@dataclass
class Asked:
    """What came of the requests of one door: milliseconds each, and how many had no verdict."""

    milliseconds: list[float] = field(default_factory=list)
    failed: int = 0


def main() -> None:
    """Run and print the table."""
    end_in_order()
    parser = parser_for(__doc__)
    parser.add_argument("--a-second", type=float, default=50.0)
    parser.add_argument("--seconds", type=float, default=20.0, help="for each door")
    parser.add_argument("--door", choices=sorted(DOORS), action="append", help="default: all")
    parser.add_argument("--store", choices=STORES, default="sqlite")
    parser.add_argument("--web-processes", type=int, default=1)
    parser.add_argument("--limit", type=float, default=50.0, help="milliseconds, of the slowest hundredth")
    options = parser.parse_args()
    with installation(options.store, web_processes=options.web_processes) as ours, ours.workers(1):
        found = {name: measure(ours, DOORS[name], options) for name in options.door or DOORS}
    print_table(found, options)
    keep(options, "doors", found)
    fine = all(not one["failed"] and one["p99"] <= options.limit for one in found.values())
    sys.exit(0 if fine else 1)


def measure(ours: Installation, door: Door, options: argparse.Namespace) -> dict[str, float]:
    """The first request, some to warm up, and then those that count."""
    bodies = texts(next(ours.seeds))
    first = ask_evenly(ours, door, bodies, 1, 1000.0)
    ask_evenly(ours, door, bodies, WARM_UP, options.a_second)
    asked = ask_evenly(ours, door, bodies, round(options.a_second * options.seconds), options.a_second)
    told = {"first": first.milliseconds[0] if first.milliseconds else 0.0}
    return told | percentiles(asked.milliseconds) | {"failed": asked.failed + first.failed}


def ask_evenly(ours: Installation, door: Door, bodies: Iterator[str], times: int, a_second: float) -> Asked:
    """So many requests, each due a moment after the one before, on whichever connection is free."""
    waiting = [door.ask(ours.key, next(bodies)) for _ in range(times)]
    asked, guard, begun = Asked(), threading.Lock(), time.perf_counter() + 0.05

    def work() -> None:
        with socket.create_connection(("127.0.0.1", ours.port), timeout=PATIENCE_SECONDS) as line:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                with guard:
                    number = times - len(waiting)
                    if not waiting:
                        return
                    data = waiting.pop()
                due = begun + number / a_second
                time.sleep(max(0.0, due - time.perf_counter()))
                line.sendall(data)
                fine = door.is_verdict(read_body(line))
                milliseconds = 1000 * (time.perf_counter() - due)
                with guard:
                    asked.milliseconds.append(milliseconds)
                    asked.failed += not fine

    threads = [threading.Thread(target=work) for _ in range(min(CONNECTIONS, times))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # A connection that broke took its request with it.
    asked.failed += times - len(asked.milliseconds)
    return asked


def read_body(line: socket.socket) -> bytes:
    """The body of an answer."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(line)
    head, _, body = data.partition(b"\r\n\r\n")
    length = _LENGTH.search(head + b"\r\n")
    while length and len(body) < int(length[1]):
        body += _more(line)
    return body


def _more(line: socket.socket) -> bytes:
    more = line.recv(65536)
    if not more:
        raise ConnectionError("the server closed the connection")
    return more


def print_table(found: dict[str, dict[str, Any]], options: argparse.Namespace) -> None:
    """Milliseconds from due to answered."""
    print(f"\n{options.a_second:g} a second for {options.seconds:g} s, {options.store}\n")
    print("| door | first | p50 | p90 | p99 | max | failed |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, one in found.items():
        figures = " | ".join(f"{one[key]:.1f}" for key in ("first", "p50", "p90", "p99", "max"))
        print(f"| {name} | {figures} | {one['failed']:.0f} |")


if __name__ == "__main__":
    main()
