"""Redis as larger installations run it: behind TLS, and a master with its replica watched by Sentinel."""

import contextlib
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from tests.processes.running import free_port, wait_until
from workers.embedded_redis import redis_command

SERVICE = "mymaster"


@dataclass
class Watched:
    """Two servers and the sentinel that watches them."""

    folder: Path
    sentinel: int
    servers: dict[int, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """As an installation would name it; the first sentinel of the list is away."""
        return f"redis+sentinel://:secret@127.0.0.1:1,127.0.0.1:{self.sentinel}/{SERVICE}/2"

    def master(self) -> int:
        """The port of the master, as the sentinel sees it."""
        return int(self._ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)[1])

    def kill_master(self) -> int:
        """End the master without warning; gives its port."""
        port = self.master()
        self.servers[port].kill()
        self.servers[port].wait()
        return port

    def switch_over(self) -> int:
        """Let master and replica change places, as before maintenance; gives the old master's port."""
        port = self.master()
        self._ask("SENTINEL", "FAILOVER", SERVICE, "COORDINATED")
        return port

    def wait_for_another_master(self, old: int) -> None:
        """Return when the sentinel has put the other server in its place."""
        wait_until(lambda: self.master() != old and _role(self.master()) == "master")

    def wait_for_replica(self) -> None:
        """Return when the sentinel knows a replica that it could promote."""
        wait_until(lambda: any(_is_healthy(told) for told in self._ask("SENTINEL", "REPLICAS", SERVICE)))

    def _ask(self, *words: str) -> Any:
        with Redis(port=self.sentinel, decode_responses=True) as client:
            return client.execute_command(*words)


@contextlib.contextmanager
def watched_servers(folder: Path) -> Iterator[Watched]:
    """A master, a replica and a sentinel that notices a dead master after half a second."""
    watched = Watched(folder, free_port())
    program, master = redis_command(folder)[0], free_port()
    processes = watched.servers
    try:
        processes[master] = _start_server(program, folder, master)
        replica = free_port()
        processes[replica] = _start_server(program, folder, replica, "--replicaof", f"127.0.0.1 {master}")
        conf = folder / "sentinel.conf"
        conf.write_text(SENTINEL_CONF.format(port=watched.sentinel, folder=folder, master=master))
        processes[watched.sentinel] = subprocess.Popen(
            [program, str(conf), "--sentinel"], stdout=subprocess.DEVNULL
        )
        wait_until(lambda: _answers(watched.sentinel))
        watched.wait_for_replica()
        yield watched
    finally:
        for process in processes.values():
            process.kill()
            process.wait()


@contextlib.contextmanager
def tls_door(context: ssl.SSLContext, socket_path: str) -> Iterator[int]:
    """A port that speaks TLS and passes everything on to a Redis behind it; gives the port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        door = threading.Thread(target=_let_in, args=(listening, context, socket_path), daemon=True)
        door.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
    door.join(10)


SENTINEL_CONF = """
bind 127.0.0.1
port {port}
dir {folder}
sentinel monitor mymaster 127.0.0.1 {master} 1
sentinel auth-pass mymaster secret
sentinel down-after-milliseconds mymaster 500
sentinel failover-timeout mymaster 3000
"""


def _start_server(program: str, folder: Path, port: int, *more: str) -> "subprocess.Popen[bytes]":
    data = folder / str(port)
    data.mkdir()
    words = ["--bind", "127.0.0.1", "--port", str(port), "--dir", str(data), "--save", ""]
    # No waiting for further replicas before the first one gets the master's data.
    words += ["--requirepass", "secret", "--masterauth", "secret", "--repl-diskless-sync-delay", "0"]
    process = subprocess.Popen([program, *words, *more], stdout=subprocess.DEVNULL)
    wait_until(lambda: _answers(port, "secret"))
    return process


def _answers(port: int, password: str | None = None) -> bool:
    try:
        with Redis(port=port, password=password) as client:
            return bool(client.ping())
    except RedisError:
        return False


def _role(port: int) -> str:
    try:
        with Redis(port=port, password="secret", decode_responses=True) as client:
            return str(client.info("replication")["role"])
    except RedisError:
        return "away"


def _is_healthy(told: Any) -> bool:
    """Whether what a sentinel tells of a replica says that it has the master's data."""
    facts = told if isinstance(told, dict) else dict(zip(told[::2], told[1::2], strict=True))
    return facts["flags"] in ("slave", {"slave"}) and facts["master-link-status"] == "ok"


def _let_in(listening: socket.socket, context: ssl.SSLContext, socket_path: str) -> None:
    while True:
        try:
            plain, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(plain, context, socket_path), daemon=True).start()


def _serve(plain: socket.socket, context: ssl.SSLContext, socket_path: str) -> None:
    with (
        plain,
        contextlib.suppress(OSError),
        context.wrap_socket(plain, server_side=True) as client,
        socket.socket(socket.AF_UNIX) as redis,
    ):
        redis.connect(socket_path)
        back = threading.Thread(target=_copy, args=(redis, client), daemon=True)
        back.start()
        _copy(client, redis)
        back.join(10)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while part := source.recv(65536):
            target.sendall(part)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
