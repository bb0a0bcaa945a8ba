"""The real service for tests: `greenroom up` as a child process, and calls on it over HTTP."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis import Redis

from workers.embedded_redis import redis_socket

START_SECONDS = 90.0


@dataclass
class Service:
    """A running service and its demo keys."""

    home: Path
    port: int
    supervisor: subprocess.Popen[bytes]
    keys: dict[str, str]

    def call(self, method: str, path: str, key: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """One request with a key; status and JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            sent = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"} | headers
            connection.request(method, path, None if body is None else json.dumps(body), sent)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None
        finally:
            connection.close()

    def send_lines(self, path: str, key: str, lines: bytes) -> tuple[int, Any]:
        """Post JSON Lines; status and JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/jsonl"}
            connection.request("POST", path, lines, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def hand_in(self, body: str, **headers: str) -> tuple[int, Any]:
        """Post a comment with the demo site's secret key."""
        comment = {"thread": {"id": "test"}, "author": {"name": "Reader"}, "body": body}
        return self.call("POST", "/api/v1/comments", self.keys["secret_key"], comment, **headers)

    def status(self, comment_id: str) -> str:
        """A comment's status."""
        found: dict[str, str] = self.call("GET", f"/api/v1/comments/{comment_id}", self.keys["secret_key"])[1]
        return found["status"]

    def flush_redis(self) -> None:
        """Make its Redis forget everything."""
        with Redis(unix_socket_path=str(redis_socket(self.home))) as redis:
            redis.flushall()

    def pid_of(self, *words: str) -> int:
        """The process of this service whose command line has these words."""
        below = _descendants(self.supervisor.pid)
        found = [pid for pid, line in below if all(word in line for word in words)]
        assert found, f"no process with {words} in {below}"
        return found[0]

    def kill(self, *words: str) -> int:
        """End a process without warning."""
        pid = self.pid_of(*words)
        os.kill(pid, signal.SIGKILL)
        return pid


@contextlib.contextmanager
def running_service(home: Path, **settings: str) -> Iterator[Service]:
    """The service on a free port, ready; stopped at the end of the block."""
    port = free_port()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GREENROOM_")}
    environ |= {"GREENROOM_HOME": str(home), "GREENROOM_PORT": str(port)}
    # Drawn by lot, they would come where nobody expects them.
    environ["GREENROOM_SPOT_CHECK_SHARE"] = "0"
    environ |= {f"GREENROOM_{name}": value for name, value in settings.items()}
    with (home.parent / f"{home.name}.log").open("wb") as log:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "workers.cli", "up"], env=environ, stdout=log, stderr=log
        )
    try:
        _wait_until_ready(port, supervisor, Path(log.name))
        yield Service(home, port, supervisor, json.loads((home / "demo.json").read_text()))
    finally:
        supervisor.send_signal(signal.SIGTERM)
        supervisor.wait(timeout=60)


def wait_until(condition: Callable[[], bool], seconds: float = 60.0, pause: float = 0.1) -> None:
    """Return once the condition holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(pause)


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(port: int, supervisor: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert supervisor.poll() is None, log.read_text()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
            connection.request("GET", "/readyz")
            if json.loads(connection.getresponse().read())["status"] == "ok":
                return
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def _descendants(pid: int) -> list[tuple[int, str]]:
    """Every process below this one with its command line (from /proc or ps)."""
    listing = subprocess.run(["ps", "-wweo", "pid=,ppid=,args="], capture_output=True, text=True, check=True)
    rows = [line.split(None, 2) for line in listing.stdout.splitlines()]
    below, found = {pid}, []
    for own, parent, *args in rows:
        if int(parent) in below:
            below.add(int(own))
            found.append((int(own), args[0] if args else ""))
    return found
