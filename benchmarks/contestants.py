"""What the pipeline benchmark lets run: our web and workers, the naive design, and a bare hello."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.load import comment, request, send_all, send_paced, texts
from tests.processes.running import free_port, wait_until
from workers.embedded_redis import running_redis

CONNECTIONS = 32
THREADS = "32"
_BIN = Path(sys.executable).parent


@dataclass
class Contestant:
    """A running design: where comments are posted to, and where they are found."""

    port: int
    path: str
    key: str
    database: Path
    undecided: str
    times: str
    seeds: Iterator[int]
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def singles(self, count: int) -> list[bytes]:
        """Requests with a new comment each."""
        return [
            request(self.path, self.key, comment(body)) for body in islice(texts(next(self.seeds)), count)
        ]

    def batches(self, count: int) -> list[bytes]:
        """Requests with a hundred new comments each."""
        found = texts(next(self.seeds))
        return [
            request(
                f"{self.path}/batch", self.key, {"comments": [comment(body) for body in islice(found, 100)]}
            )
            for _ in range(count)
        ]

    def decided_a_second(self, requests: list[bytes], comments: int, connections: int = CONNECTIONS) -> float:
        """From the first request to the last decision."""
        started = time.perf_counter()
        send_all(self.port, requests, connections)
        wait_until(lambda: self._ask(self.undecided)[0][0] == 0, seconds=300, pause=0.01)
        return comments / (time.perf_counter() - started)

    def latencies(self, count: int, a_second: float) -> list[float]:
        """Milliseconds from accepted to decided, as the database has them."""
        before = {row[0] for row in self._ask(self.times)}
        send_paced(self.port, self.singles(count), a_second)
        wait_until(lambda: self._ask(self.undecided)[0][0] == 0, seconds=60, pause=0.05)
        rows = [row for row in self._ask(self.times) if row[0] not in before]
        return [1000 * (_time(decided) - _time(made)).total_seconds() for _, made, decided in rows]

    def start(self, *commands: list[str], environ: dict[str, str]) -> None:
        """Start workers and give them time to load the model."""
        self.workers = [_start(command, environ) for command in commands]
        time.sleep(4)

    def stop_workers(self) -> None:
        """End the workers, after what is at hand."""
        for worker in self.workers:
            _stop(worker)
        self.workers = []

    def _ask(self, query: str) -> list[Any]:
        with sqlite3.connect(self.database, timeout=30) as database:
            rows = database.execute(query).fetchall()
        database.close()
        return rows


@contextmanager
def everything(folder: Path, processes: int = 1) -> Iterator[dict[str, Contestant]]:
    """Start the servers of so many processes each; no worker yet, so that none disturbs another's turn."""
    with ExitStack() as stack:
        seeds = iter(range(1, 1_000_000))
        yield {
            "ours": stack.enter_context(_ours(folder / "ours", seeds, processes)),
            "naive": stack.enter_context(_naive(folder / "naive", seeds, processes)),
            "hello": stack.enter_context(_hello(folder, seeds, processes, "hello()")),
            "hello, one core": stack.enter_context(_hello(folder, seeds, processes, "hello(one_core=True)")),
        }


def start_ours(contestant: Contestant, count: int = 2) -> None:
    """Scoring workers of the service."""
    command = [str(_BIN / "greenroom"), "worker", "--queue", "scoring"]
    contestant.start(*[command] * count, environ=_environ(contestant.database.parent))


def start_naive(contestant: Contestant, kind: str, count: int = 2) -> None:
    """Workers that do a job a comment: `forked` or `simple`."""
    command = [sys.executable, "-m", "benchmarks.naive", kind]
    contestant.start(*[command] * count, environ=_environ(contestant.database.parent))


def _environ(home: Path) -> dict[str, str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GREENROOM_")}
    redis = f"unix://{home / 'redis.sock'}"
    environ |= {"GREENROOM_HOME": str(home), "GREENROOM_REDIS_URL": redis, "GREENROOM_WEB_THREADS": THREADS}
    environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "GREENROOM_LOG_LEVEL": "warning"}
    return environ | {"NAIVE_HOME": str(home), "NAIVE_REDIS": redis}


@contextmanager
def _ours(home: Path, seeds: Iterator[int], processes: int) -> Iterator[Contestant]:
    with running_redis(home):
        environ = _environ(home)
        port = free_port()
        greenroom = str(_BIN / "greenroom")
        subprocess.run([greenroom, "migrate"], env=environ, check=True, capture_output=True)
        made = subprocess.run(
            [greenroom, "site", "create", "--name", "A blog", "--json"],
            env=environ,
            check=True,
            capture_output=True,
        )
        own = {"GREENROOM_PORT": str(port), "GREENROOM_WEB_PROCESSES": str(processes)}
        web = _start([greenroom, "web"], environ | own)
        contestant = Contestant(
            port,
            "/api/v1/comments",
            json.loads(made.stdout)["secret_key"],
            home / "greenroom.db",
            "SELECT count(*) FROM submissions WHERE judged_at IS NULL",
            "SELECT id, created_at, decided_at FROM comments",
            seeds,
        )
        with _running(contestant, web):
            yield contestant


@contextmanager
def _naive(home: Path, seeds: Iterator[int], processes: int) -> Iterator[Contestant]:
    with running_redis(home):
        port = free_port()
        web = _start(_gunicorn(port, "benchmarks.naive:web()", processes), _environ(home))
        contestant = Contestant(
            port,
            "/comments",
            "",
            home / "naive.db",
            "SELECT count(*) FROM comments WHERE status = 'pending'",
            "SELECT id, created_at, decided_at FROM comments",
            seeds,
        )
        with _running(contestant, web):
            yield contestant


@contextmanager
def _hello(folder: Path, seeds: Iterator[int], processes: int, made: str) -> Iterator[Contestant]:
    port = free_port()
    web = _start(_gunicorn(port, f"benchmarks.naive:{made}", processes), _environ(folder))
    contestant = Contestant(port, "/", "", folder, "", "", seeds)
    with _running(contestant, web):
        yield contestant


def _gunicorn(port: int, application: str, processes: int) -> list[str]:
    options = ["--bind", f"127.0.0.1:{port}", "--worker-class", "gthread", "--threads", THREADS]
    options += ["--workers", str(processes), "--keep-alive", "5", "--log-level", "warning"]
    options += ["--no-control-socket"]
    return [str(_BIN / "gunicorn"), *options, application]


@contextmanager
def _running(contestant: Contestant, web: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        wait_until(lambda: _answers(contestant), seconds=60)
        yield
    finally:
        contestant.stop_workers()
        _stop(web)


def _answers(contestant: Contestant) -> bool:
    try:
        send_all(contestant.port, contestant.singles(1), 1)
    except OSError:
        return False
    return True


def _start(command: list[str], environ: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
