"""One request of a webhook: to the very address that was checked, never redirected, bounded in time.

By the standard library's `http.client`, which takes a connected socket: the look-up, the check and the
connection are one step, so a name that changes its address in between gains nothing. It reads no proxy from
the environment.
"""

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse
from urllib.parse import SplitResult, urlsplit

from moderation.domain.webhooks import LONGEST_WAIT
from moderation.services.webhook_deliveries import Answer
from moderation.webhook_addresses import PORTS, BadAddress, check_url, is_public

# Until the connection stands, the name's look-up included; and until the answer is read.
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
        except (OSError, HTTPException, ValueError) as error:
            return Answer(trouble=f"no answer ({type(error).__name__})")

    @contextmanager
    def _connected(self, parts: SplitResult) -> Iterator[HTTPConnection]:
        began = time.monotonic()
        host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
        connection = HTTPConnection(host, port)
        with (
            closing(connection),
            closing(self._connect(host, port, began + self.connect_seconds)) as plain,
            _cut_at(began + self.total_seconds, plain),
        ):
            plain.settimeout(self.total_seconds)
            tls = parts.scheme == "https"
            connection.sock = _trust().wrap_socket(plain, server_hostname=host) if tls else plain
            yield connection

    def _connect(self, host: str, port: int, deadline: float) -> socket.socket:
        trouble: OSError = OSError("no address")
        for address in self._allowed(host, port, deadline):
            try:
                return socket.create_connection((address, port), timeout=_left(deadline))
            except OSError as error:
                trouble = error
        raise trouble

    def _allowed(self, host: str, port: int, deadline: float) -> list[str]:
        found = _within(_left(deadline), lambda: self.resolve(host, port))
        addresses = list(dict.fromkeys(found))
        if not self.private and not all(is_public(address) for address in addresses):
            raise BadAddress("leads into a private network")
        return addresses[:MOST_ADDRESSES]


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _within(seconds: float, look: Callable[[], list[str]]) -> list[str]:
    """What a look-up gives, if in time: the system's own takes no limit and cannot be stopped."""
    found: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def put() -> None:
        try:
            found.put(look())
        except Exception as error:
            found.put(error)

    threading.Thread(target=put, name="look-up", daemon=True).start()
    try:
        result = found.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(result, Exception):
        raise result
    return result


@contextmanager
def _cut_at(deadline: float, plain: socket.socket) -> Iterator[None]:
    """Cut the connection at that time, whatever goes on; then that is what any error says.

    Not a time-out of each read: a drop at a time would pass that for ever. The connection is cut by a second
    handle, for TLS takes the first one over and leaves nothing in `plain` that could be shut.
    """
    out_of_time = threading.Event()
    with closing(plain.dup()) as handle:
        watch = threading.Timer(max(0.0, deadline - time.monotonic()), _cut, (handle, out_of_time))
        watch.daemon = True
        watch.start()
        try:
            yield
        except (OSError, HTTPException):
            if out_of_time.is_set():
                raise TimeoutError from None
            raise
        finally:
            watch.cancel()


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
    return retry_after_seconds((response.getheader("Retry-After") or "").strip(), datetime.now(UTC))


def retry_after_seconds(text: str, now: datetime) -> float | None:
    """How long a receiver asks to be left alone, a day at most; None if it does not say so properly."""
    if text.isascii() and text.isdigit():
        # Some digits do: a number may be too long to be read.
        return min(float(text[:9]), LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(text)
        wait = (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
    except (ValueError, OverflowError, TypeError, IndexError):
        # The parser finds its own words for dates that cannot be.
        return None
    return min(max(0.0, wait.total_seconds()), LONGEST_WAIT)


def _cut(connection: socket.socket, out_of_time: threading.Event) -> None:
    out_of_time.set()
    # It may be closed already.
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()
