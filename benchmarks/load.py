"""A cheap load generator: prebuilt requests on keep-alive connections, one thread, answers hardly read."""

import json
import random
import re
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_WORDS = sorted(
    {
        word
        for path in Path(__file__).parent.parent.glob("**/*.md")
        if ".venv" not in path.parts
        for word in re.findall(r"[a-z]{2,12}", path.read_text(encoding="utf-8").lower())
    }
)


def texts(seed: int, length: int = 300) -> Iterator[str]:
    """Texts of about this many characters, none twice, in the words of this project's documents."""
    chance = random.Random(seed)
    while True:
        body = ""
        while len(body) < length:
            body += chance.choice(_WORDS) + " "
        yield body.strip()


def comment(body: str) -> dict[str, object]:
    """A comment as a frontend sends it."""
    return {"thread": {"id": "/a-post"}, "author": {"name": "Reader", "email": "r@example.org"}, "body": body}


def request(path: str, key: str, body: object, method: str = "POST", **headers: str) -> bytes:
    """The bytes of a request; headers are further ones, with `_` for `-` in their names."""
    data = json.dumps(body).encode()
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\n{more}Content-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


def send_all(port: int, requests: Sequence[bytes], connections: int) -> float:
    """Send every request, as many at a time as there are connections; the seconds it took."""
    waiting = iter(requests)
    started = time.perf_counter()
    with selectors.DefaultSelector() as selector:
        # In this order: the other way round, zip takes a request before it finds no connection left.
        for _, first in zip(range(connections), waiting, strict=False):
            opened = socket.create_connection(("127.0.0.1", port))
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            opened.sendall(first)
            selector.register(opened, selectors.EVENT_READ)
        while selector.get_map():
            for ready, _ in selector.select():
                connection = ready.fileobj
                assert isinstance(connection, socket.socket)
                _read_answer(connection)
                following = next(waiting, None)
                if following is None:
                    selector.unregister(connection)
                    connection.close()
                else:
                    connection.sendall(following)
    return time.perf_counter() - started


def send_paced(port: int, requests: Sequence[bytes], a_second: float) -> None:
    """Send the requests evenly spaced."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        begin = time.perf_counter()
        for n, one in enumerate(requests):
            time.sleep(max(0.0, begin + n / a_second - time.perf_counter()))
            connection.sendall(one)
            _read_answer(connection)


def _read_answer(connection: socket.socket) -> None:
    """Read an answer to its end; it must be a success."""
    data = connection.recv(65536)
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        assert more, "the server closed the connection"
        data += more
    assert data.startswith((b"HTTP/1.1 20", b"HTTP/1.0 20")), data[:300]
    found = _LENGTH.search(data)
    assert found, data[:300]
    missing = int(found[1]) - (len(data) - data.index(b"\r\n\r\n") - 4)
    while missing > 0:
        missing -= len(connection.recv(min(missing, 262144)))
