"""Frontends that do not give up: each comment has its Idempotency-Key and is sent until it is accepted."""

import contextlib
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from benchmarks.crowd import comments
from benchmarks.load import request

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
ANSWER_SECONDS = 20.0
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0


@dataclass(frozen=True)
class Sent:
    """A comment that was accepted: when it was first sent, when answered, and how often it was sent."""

    key: str
    comment_id: str
    due: float
    answered: float
    times: int


@dataclass
class Frontends:
    """Several connections that share one pace; what was refused for good is a defect."""

    port: int
    key: str
    a_second: float | None
    accepted: list[Sent] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    repeats: int = 0
    _next: int = 0
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _stop: threading.Event = field(default_factory=threading.Event)
    _began: float = field(default_factory=time.monotonic)

    def turn(self) -> tuple[str, float] | None:
        """A new key and when its comment is due; None when no more are to be sent."""
        if self._stop.is_set():
            return None
        with self._guard:
            number, self._next = self._next, self._next + 1
        due = time.monotonic() if self.a_second is None else self._began + number / self.a_second
        return f"{self._began:.6f}-{number}", due

    def send_forever(self, seed: int) -> None:
        """One connection's life; what it has begun to send it sends to the end."""
        with Line(self.port) as line:
            for comment in comments(seed):
                if (turn := self.turn()) is None:
                    return
                key, due = turn
                time.sleep(max(0.0, due - time.monotonic()))
                data = request("/api/v1/comments", self.key, comment, Idempotency_Key=key)
                self._insist(line, key, due, data)

    def _insist(self, line: "Line", key: str, due: float, data: bytes) -> None:
        pause, times = FIRST_PAUSE, 0
        while True:
            times += 1
            status, answer = line.ask(data)
            if status in (200, 202):
                self.accepted.append(Sent(key, answer["id"], due, time.monotonic(), times))
                return
            if 400 <= status < 500 and status != 429:
                self.refused.append(status)
                return
            with self._guard:
                self.repeats += 1
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)


@contextmanager
def frontends(port: int, key: str, connections: int, a_second: float | None) -> Iterator[Frontends]:
    """Send during the block, at this pace or, without one, as fast as it is answered."""
    ours = Frontends(port, key, a_second)
    seeds = range(10_000 + int(time.time()) % 1_000_000, 20_000_000)
    threads = [
        threading.Thread(target=ours.send_forever, args=(seed,))
        for seed, _ in zip(seeds, range(connections), strict=False)
    ]
    for thread in threads:
        thread.start()
    try:
        yield ours
    finally:
        ours._stop.set()
        for thread in threads:
            thread.join()


class Line:
    """A connection that is made again whenever it breaks."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: object) -> None:
        self._hang_up()

    def ask(self, data: bytes) -> tuple[int, Any]:
        """Status and JSON; status 0 when there was no whole answer."""
        try:
            if self._socket is None:
                self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=ANSWER_SECONDS)
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.sendall(data)
            head, body = _read(self._socket)
        except OSError:
            self._hang_up()
            return 0, None
        if b"\r\nconnection: close" in head.lower():
            self._hang_up()
        status = int(head.split(b" ", 2)[1])
        return status, json.loads(body) if status in (200, 202) else None

    def _hang_up(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
            self._socket = None


def _read(connection: socket.socket) -> tuple[bytes, bytes]:
    """Head and body of an answer; raises OSError when it ends early."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    found = _LENGTH.search(head)
    length = int(found[1]) if found else 0
    while len(body) < length:
        body += _more(connection)
    return head, body


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionResetError
    return data
