"""The service taken apart: the test starts, stops and breaks each of its real processes by itself."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, Worker
from sqlalchemy import select

from moderation.database import Database, open_database
from moderation.jobs import AWAKE
from moderation.models import Comment, Role
from moderation.services.access import NewModerator, NewSite
from tests.conftest import SECRET, make_moderator, make_site
from tests.faults import failpoints
from tests.faults.invariants import assert_sound
from tests.processes.running import free_port, wait_until
from workers import embedded_redis

# In every comment, so that a log which quotes one is found out.
TRACE = "quokka"
KIND = "Thank you for the {}, it helped me repair the lamp in room {}, {}"
# More links than the policy lets pass: held for certain.
FOUR_LINKS = "Compare these pages: " + " ".join(f"https://example.org/{n}" for n in range(4))
REPOSITORY = Path(__file__).parent.parent.parent
COMMANDS = {"web": ("web",), "sweeper": ("sweep",)}
NO_HEADERS: Mapping[str, str] = {}
# How soon a comment is free again when its worker died, and how often the sweeper looks for it.
SETTINGS = {"SCORING_SECONDS": "2", "SWEEP_SECONDS": "0.3", "LOG_LEVEL": "info", "WEB_THREADS": "8"}
# The time within which everything must be decided once the trouble is over; docs/operations.md promises less.
DRAINED_SECONDS = 45.0


@dataclass(frozen=True)
class Answer:
    """What the web server said; status 0 where the connection broke."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None

    def is_clean_refusal(self) -> bool:
        """A problem that says when to try again."""
        kind = self.body["type"].rpartition(":")[2] if self.status == 503 else ""
        return kind == "unavailable" and int(self.headers["Retry-After"]) > 0


@dataclass
class Apart:
    """The parts, each a process of its own, and what was accepted so far."""

    home: Path
    environ: dict[str, str]
    database: Database
    site: NewSite
    person: NewModerator
    port: int
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    accepted: set[str] = field(default_factory=set)

    @property
    def log(self) -> Path:
        """What all of them wrote."""
        return self.home.parent / f"{self.home.name}.log"

    @property
    def redis(self) -> Redis:
        """A client of its Redis."""
        return Redis(unix_socket_path=str(embedded_redis.redis_socket(self.home)))

    def start(self, name: str, **environ: str) -> None:
        """Start a part; a name that begins with "worker" is another scoring worker."""
        words = COMMANDS.get(name, ("worker", "--queue", "scoring"))
        command = [sys.executable, "-m", "tests.faults.failpoints", *words]
        if name == "redis":
            command = embedded_redis.redis_command(self.home)
        with self.log.open("ab") as log:
            self.running[name] = subprocess.Popen(
                command,
                env=self.environ | environ,
                cwd=REPOSITORY,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        if name == "redis":
            embedded_redis.wait_until_ready(self.home, lambda: self.alive(name))

    def start_missing(self) -> None:
        """Everything but workers runs, and nothing is about to fail."""
        for path in self._points.iterdir():
            path.unlink()
        for name in ("redis", "web", "sweeper"):
            if not self.alive(name):
                self.start(name)
        wait_until(lambda: self.call("GET", "/healthz").status == 200)

    def alive(self, name: str) -> bool:
        """Whether a part runs."""
        return name in self.running and self.running[name].poll() is None

    def kill(self, name: str) -> None:
        """End a part and its children without warning."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.running[name].pid, signal.SIGKILL)
        self.running[name].wait()

    def ask_to_stop(self, name: str) -> None:
        """As a supervisor does."""
        self.running[name].send_signal(signal.SIGTERM)

    def status_of(self, name: str) -> int:
        """The exit status of a part that is ending."""
        return self.running[name].wait(timeout=30)

    def arm(self, point: str, what: str) -> None:
        """Let the process that next reaches this point be killed, raise or wait there."""
        (self._points / point).write_text(what)

    def wait_for(self, point: str) -> None:
        """Return once a process has come to the point."""
        wait_until((self._points / f"{point}.reached").exists, pause=0.02)

    def let_go(self, point: str) -> None:
        """Let the process that waits at the point go on."""
        (self._points / f"{point}.go").touch()

    def wait_for_death(self, name: str, point: str) -> None:
        """Return once the part was killed at this point."""
        self.wait_for(point)
        assert self.status_of(name) == -signal.SIGKILL

    def call(
        self, method: str, path: str, key: str = "", body: Any = None, headers: Mapping[str, str] = NO_HEADERS
    ) -> Answer:
        """One request; status 0 where the connection breaks."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        sent = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"} | dict(headers)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), sent)
            answer = connection.getresponse()
            text = answer.read()
            return Answer(answer.status, dict(answer.getheaders()), json.loads(text) if text else None)
        except (OSError, http.client.HTTPException):
            return Answer(0)
        finally:
            connection.close()

    def post(self, body: str, key: str | None = None) -> Answer:
        """Hand in a comment, and remember it if it was accepted."""
        comment = {"thread": {"id": "t"}, "author": {"name": "Reader"}, "body": f"{body} {TRACE}"}
        headers = {"Idempotency-Key": key} if key else {}
        answer = self.call("POST", "/api/v1/comments", self.site.secret_key, comment, headers)
        if answer.status == 202:
            self.accepted.add(answer.body["id"])
        return answer

    def post_many(self, count: int, tag: str, threads: int = 4) -> list[Answer]:
        """Hand in many at once."""
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(lambda n: self.post(KIND.format(tag, n, tag)), range(count)))

    def take_in(self, count: int, tag: str) -> None:
        """Hand in many, each of which must be accepted."""
        answers = self.post_many(count, tag)
        assert {answer.status for answer in answers} == {202}, [answer.body for answer in answers]

    def standing(self, comment_id: str) -> tuple[str, str | None]:
        """Status and reason of a comment."""
        with self.database.read() as session:
            comment = session.get_one(Comment, comment_id)
            return comment.status, comment.reason

    def pending(self) -> int:
        """How many comments wait for their decision."""
        with self.database.read() as session:
            return len(session.scalars(select(Comment.id).where(Comment.status == "pending")).all())

    def wait_until_idle(self) -> None:
        """Return once every worker is there, has ended its job and waits for the next."""
        ours = {process.pid for name, process in self.running.items() if name.startswith("worker")}
        with self.redis as redis:

            def idle() -> bool:
                waiting = {one.pid for one in Worker.all(connection=redis) if one.get_state() == "idle"}
                return ours <= waiting and not redis.exists(AWAKE) and self.jobs_waiting() == 0

            wait_until(idle)

    def jobs_waiting(self) -> int:
        """How many drain jobs nobody took yet."""
        with self.redis as redis:
            return Queue("scoring", connection=redis).count

    def jobs_failed(self) -> int:
        """How many jobs ended with an error so far."""
        with self.redis as redis:
            return Queue("scoring", connection=redis).failed_job_registry.count

    def keep_a_worker_until_decided(self, **environ: str) -> None:
        """Start the worker again whenever it ends: what `greenroom up` and every supervisor does."""

        def decided() -> bool:
            if not self.alive("worker"):
                self.start("worker", **environ)
            return self.pending() == 0

        wait_until(decided, DRAINED_SECONDS)

    def assert_recovers(self) -> None:
        """Everything is decided without further ado, and all is as it must be."""
        wait_until(lambda: self.pending() == 0, DRAINED_SECONDS)
        assert_sound(self.database, self.accepted)
        wait_until(lambda: self._redis_answers() and self.jobs_waiting() == 0, DRAINED_SECONDS)
        assert TRACE not in self.log.read_text(errors="replace")

    def end(self) -> None:
        """Kill whatever runs."""
        for name in self.running:
            self.kill(name)
        self.database.engine.dispose()

    @property
    def _points(self) -> Path:
        return Path(self.environ[failpoints.FOLDER])

    def _redis_answers(self) -> bool:
        with contextlib.suppress(RedisError, OSError), self.redis as redis:
            return bool(redis.ping())
        return False


@contextlib.contextmanager
def taken_apart(home: Path, url: str, **settings: str) -> Iterator[Apart]:
    """The service on a migrated database, nothing of it started yet."""
    points, port, database = home.parent / f"{home.name}-points", free_port(), open_database(url)
    points.mkdir()
    home.mkdir(exist_ok=True)
    ours = SETTINGS | {"HOME": str(home), "PORT": str(port), "DATABASE_URL": url, "SECRET_KEY": SECRET}
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GREENROOM_")}
    environ |= {f"GREENROOM_{name}": value for name, value in (ours | settings).items()}
    environ |= {failpoints.FOLDER: str(points)}
    person = make_moderator(database, "Bruno", Role.MODERATOR)
    apart = Apart(home, environ, database, make_site(database), person, port)
    try:
        yield apart
    finally:
        apart.end()
