"""One request of a webhook: to the very address that was checked, never redirected, bounded in time.

By the standard library's `http.client`, which takes a connected socket: the look-up, the check and the
connection are one step, so a name that changes its address in between gains nothing. It reads no proxy from
the environment.
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse
from urllib.parse import SplitResult, urlsplit

from moderation.services.webhook_deliveries import Answer
from moderation.webhook_addresses import PORTS, BadAddress, check_url, is_public

CONNECT_SECONDS = 10.0
TOTAL_SECONDS = 20.0
# More of an answer is not read; nothing of it is kept.
MOST_READ = 16_384
# The most addresses of a name that are tried.
MOST_ADDRESSES = 3

Resolve = Callable[[str, int], list[str]]


def look_up(host: str, port: int) -> list[str]:
    """The addresses of a name."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@dataclass(frozen=True)
class Sender:
    """How requests are made; `private` lets them go into private networks."""

    private: bool = False
    resolve: Resolve = look_up
    connect_seconds: float = CONNECT_SECONDS
    total_seconds: float = TOTAL_SECONDS

    def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Post the body; whatever happens is an answer, never an error."""
        try:
            check_url(url, private=self.private)
            with self._connected(urlsplit(url)) as connection:
                return _post(connection, urlsplit(url), headers, body)
        except BadAddress as error:
            return Answer(trouble=f"the address {error}")
        except TimeoutError:
            return Answer(trouble="no answer in time")
        except ssl.SSLError:
            return Answer(trouble="TLS failed")
        except socket.gaierror:
            return Answer(trouble="the name was not found")
        except (OSError, HTTPException, UnicodeError) as error:
            return Answer(trouble=f"no answer ({type(error).__name__})")

    @contextmanager
    def _connected(self, parts: SplitResult) -> Iterator[HTTPConnection]:
        host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
        deadline = time.monotonic() + self.total_seconds
        plain = self._connect(self._allowed(host, port), port)
        out_of_time = threading.Event()
        # Not a time-out of each read: a drop at a time would pass that for ever.
        watch = threading.Timer(max(0.0, deadline - time.monotonic()), _cut, (plain, out_of_time))
        watch.daemon = True
        watch.start()
        connection = HTTPConnection(host, port)
        try:
            plain.settimeout(max(0.1, deadline - time.monotonic()))
            tls = parts.scheme == "https"
            connection.sock = _trust().wrap_socket(plain, server_hostname=host) if tls else plain
            yield connection
        except (OSError, HTTPException):
            if out_of_time.is_set():
                raise TimeoutError from None
            raise
        finally:
            watch.cancel()
            connection.close()
            plain.close()

    def _allowed(self, host: str, port: int) -> list[str]:
        addresses = list(dict.fromkeys(self.resolve(host, port)))
        if not self.private and not all(is_public(address) for address in addresses):
            raise BadAddress("leads into a private network")
        return addresses[:MOST_ADDRESSES]

    def _connect(self, addresses: list[str], port: int) -> socket.socket:
        trouble: OSError = OSError("no address")
        deadline = time.monotonic() + self.connect_seconds
        for address in addresses:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            try:
                return socket.create_connection((address, port), timeout=left)
            except OSError as error:
                trouble = error
        raise trouble


def _post(connection: HTTPConnection, parts: SplitResult, headers: Mapping[str, str], body: bytes) -> Answer:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    standing = {"Content-Type": "application/json", "User-Agent": "Greenroom", "Connection": "close"}
    host = parts.netloc
    connection.putrequest("POST", target, skip_host=True, skip_accept_encoding=True)
    for name, value in {"Host": host, **standing, "Content-Length": str(len(body)), **headers}.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    response = connection.getresponse()
    return Answer(
        status=response.status,
        size=len(response.read(MOST_READ)),
        trouble="redirects are not followed" if 300 <= response.status < 400 else None,
        retry_after=_retry_after(response),
    )


def _retry_after(response: HTTPResponse) -> float | None:
    text = (response.getheader("Retry-After") or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def _cut(plain: socket.socket, out_of_time: threading.Event) -> None:
    out_of_time.set()
    try:
        plain.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()
