"""The whole service on this machine: checks, embedded Redis, database, processes, and the banner.

Apart from its command so that what it imports stays small: it must be up before anything else is.
"""

import contextlib
import errno
import fcntl
import http.client
import json
import logging
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from moderation import logs
from moderation.settings import Settings, SettingsError, load_settings, unknown_names
from workers import embedded_redis
from workers.guardian import GRACE_SECONDS
from workers.supervisor import Process, Supervisor, keep_running, start, supervisor
from workers.up_banner import banner, local_address

if TYPE_CHECKING:
    from moderation.demo import DemoKeys

log = logging.getLogger("greenroom.up")

CANNOT_START = 2
# After this long without an answer the owner is told what is missing; waiting goes on.
SLOW_SECONDS = 30.0
# Who is stopped first, second and last.
DOORS, JOBS, QUEUE = range(3)


def up() -> None:
    """Run everything until a signal asks to stop; exits with 2 and one line when it cannot start."""
    try:
        settings = load_settings()
    except SettingsError as error:
        _refuse(str(error))
    logs.set_up(settings)
    for name in unknown_names():
        log.warning("%s is not a setting; see docs/settings.md", name)
    with _only_one(settings.home) as lock:
        _check_address(settings.host, settings.port)
        with supervisor(_environment(), held_open=[lock]) as us:
            _run(us, settings)


def _run(us: Supervisor, settings: Settings) -> None:
    begun = time.monotonic()
    if settings.embedded_redis:
        _start_redis(us, settings.home)
    keys = None if us.stop.times else _prepare_database(settings)
    for process in _greenroom_processes():
        if not us.stop.times:
            start(us, process)
    keep_running(us, _announcer(settings, keys, begun))
    log.info("stopping; Ctrl-C again to hurry")


def _greenroom_processes() -> list[Process]:
    # -P: a folder called `workers` where the owner happens to stand must not be taken for ours.
    greenroom = [sys.executable, "-P", "-m", "workers.cli"]
    return [
        Process("web", [*greenroom, "web"], DOORS),
        Process("scoring worker", [*greenroom, "worker", "--queue", "scoring"], JOBS),
        Process("retraining worker", [*greenroom, "worker", "--queue", "retraining"], JOBS),
        Process("webhooks worker", [*greenroom, "worker", "--queue", "webhooks"], JOBS),
        Process("sweeper", [*greenroom, "sweep"], JOBS),
    ]


def _start_redis(us: Supervisor, home: Path) -> None:
    try:
        if embedded_redis.stop_leftover(home):
            log.warning("stopped a Redis server left by an earlier start")
        redis = Process("redis", embedded_redis.redis_command(home), QUEUE)
        start(us, redis)
        embedded_redis.wait_until_ready(home, lambda: redis.is_alive and not us.stop.times)
    except embedded_redis.RedisError as error:
        if not us.stop.times:
            _refuse(str(error))


def _prepare_database(settings: Settings) -> "DemoKeys | None":
    """Migrate, and make the demo site on the first start."""
    # Imported here, not above: Redis loads its data meanwhile, and a refused start needs none of it.
    from alembic.util import CommandError
    from sqlalchemy.exc import SQLAlchemyError

    from moderation import migrate
    from moderation.database import Unavailable

    try:
        migrate.upgrade(settings.database_url)
        if not settings.demo:
            return None
        from moderation import demo

        return demo.prepare(settings)
    except (SQLAlchemyError, Unavailable) as error:
        # Only the driver's first line: the whole message holds the statement and perhaps the password.
        reason = str(getattr(error, "orig", None) or type(error).__name__).partition("\n")[0]
        _refuse(f"GREENROOM_DATABASE_URL: the database cannot be used ({reason})")
    except CommandError as error:
        _refuse(f"GREENROOM_DATABASE_URL: the database cannot be migrated ({error})")


@contextlib.contextmanager
def _only_one(home: Path) -> Iterator[int]:
    """Hold `up.lock` in home; an earlier `up` that was killed gets the time to clear away what it left."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = os.open(home / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        _refuse(f"GREENROOM_HOME: cannot use {home} ({error.strerror})")
    try:
        deadline = time.monotonic() + GRACE_SECONDS + 2
        while not _locked(lock):
            holder = int(os.pread(lock, 20, 0) or b"0")
            if _is_running(holder) or time.monotonic() > deadline:
                _refuse(f"greenroom up already runs on {home} (process {holder}); stop it first")
            time.sleep(0.1)
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        yield lock
    finally:
        os.close(lock)


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid != 0


def _check_address(host: str, port: int) -> None:
    """Refuse an address on which the web server could not listen, before anything is started."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        reason = "is taken; stop what listens there, or set PORT" if taken else f"{error.strerror}"
        _refuse(f"{host} port {port}: {reason}")


def _environment() -> dict[str, str]:
    """What the children see; the processes already share the cores, so their libraries must not."""
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    # The web server tells the figures of all; its neighbours would fight over one port.
    return {**one_thread, **os.environ, "GREENROOM_METRICS_PORT": "0"}


def _announcer(settings: Settings, keys: "DemoKeys | None", begun: float) -> Callable[[], None]:
    """A tick that asks whether the service is ready until it is, and then says where everything is."""
    told = {"ready": False, "slow": False}

    def tick() -> None:
        if told["ready"]:
            return
        missing = _missing(settings)
        waited = time.monotonic() - begun
        if missing is None:
            told["ready"] = True
            print(banner(settings, keys, waited), flush=True)  # noqa: T201 (meant for the terminal)
        elif waited > SLOW_SECONDS and not told["slow"]:
            told["slow"] = True
            log.warning("not ready after %.0f s: %s", waited, missing)

    return tick


def _missing(settings: Settings) -> str | None:
    """What /readyz says is missing, or nothing when the service is ready."""
    connection = http.client.HTTPConnection(local_address(settings.host), settings.port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        body = answer.read(2000).decode("utf-8", "replace")
        return None if json.loads(body)["status"] == "ok" else " ".join(body.split())
    except (OSError, http.client.HTTPException, ValueError, LookupError) as error:
        return f"no answer from the web server ({type(error).__name__})"
    finally:
        connection.close()


def _refuse(line: str) -> NoReturn:
    print(f"greenroom: {line}", file=sys.stderr)  # noqa: T201 (meant for the terminal)
    sys.exit(CANNOT_START)
