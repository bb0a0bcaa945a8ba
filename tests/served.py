"""The real web server for tests: `greenroom web` (gunicorn) as a process of its own on a free port."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from moderation.database import Database, open_database
from tests.processes.running import free_port

SECRET = "a secret for tests that is long enough"
START_SECONDS = 60.0


@dataclass(frozen=True)
class Answered:
    """An answer as it came: status, headers by their names in lower case, and bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Served:
    """A running web server: where it listens, and the database it uses."""

    host: str
    port: int
    database: Database
    log: Path

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://{self.host}:{self.port}"

    def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answered:
        """One request of exactly these bytes; headers are named with _ for -."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
        with contextlib.closing(connection):
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body or None, named)
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return Answered(answer.status, told, answer.read())


@contextlib.contextmanager
def serving(home: Path, database_url: str, redis_url: str, **settings: str) -> Iterator[Served]:
    """`greenroom web` on a migrated database, ready; stopped at the end of the block."""
    port = free_port()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GREENROOM_")}
    named = {
        "HOME": str(home),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": SECRET,
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "PORT": str(port),
    }
    environ |= {f"GREENROOM_{name}": value for name, value in (named | settings).items()}
    log = home / "web.log"
    with log.open("wb") as file:
        server = subprocess.Popen(
            [sys.executable, "-m", "workers.cli", "web"], env=environ, stdout=file, stderr=file
        )
    database = open_database(database_url)
    try:
        served = Served("127.0.0.1", port, database, log)
        _wait_until_up(served, server)
        yield served
    finally:
        database.engine.dispose()
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=30)


def _wait_until_up(served: Served, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert server.poll() is None, served.log.read_text()
        with contextlib.suppress(OSError):
            if served.send("GET", "/readyz").status in {200, 503}:
                return
        time.sleep(0.1)
    raise AssertionError(served.log.read_text())
