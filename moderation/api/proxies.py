"""Who is at the other end when proxies stand between: the last address that is not one of ours.

Our own lines, for werkzeug's ProxyFix counts hops: it believes whoever connects, and a client that reaches
the server directly, or by one proxy fewer, chooses its own address.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any
from urllib.request import parse_http_list

from moderation.setting_values import Network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Application = Callable[[dict[str, Any], Any], Any]

_HOST = re.compile(r"[\w.-]{1,253}(?::\d{1,5})?|\[[0-9a-fA-F:.]{2,45}\](?::\d{1,5})?", re.ASCII)
_PORT = re.compile(r":\d{1,5}", re.ASCII)


class BehindProxies:
    """A WSGI application that sees the client's own address, scheme and host, told by trusted proxies."""

    def __init__(self, application: Application, trusted: Sequence[Network], header: str) -> None:
        self.application, self.trusted, self.header = application, trusted, header

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Put what the proxy says in the place of what the connection says."""
        peer = read_address(environ.get("REMOTE_ADDR", ""))
        if peer is not None and is_one_of(peer, self.trusted):
            hops = list(_hops(environ, self.header))
            client = client_address(peer, [hop.get("for", "") for hop in hops], self.trusted)
            environ["REMOTE_ADDR"] = str(client)
            _believe(environ, hops[-1] if hops else {})
        return self.application(environ, start_response)


def client_address(peer: Address, told: Sequence[str], trusted: Sequence[Network]) -> Address:
    """The right-most address that is not a trusted proxy's; left of it everything may be made up.

    What is no address ends the search: the client is whoever handed it to the last proxy we know.

    >>> ours = [ipaddress.ip_network("10.0.0.0/8")]
    >>> str(client_address(ipaddress.ip_address("10.0.0.1"), ["1.1.1.1", "192.0.2.7", "10.0.0.2"], ours))
    '192.0.2.7'
    """
    client = peer
    for text in reversed(told):
        if not is_one_of(client, trusted):
            break
        address = read_address(text)
        if address is None:
            break
        client = address
    return client


@lru_cache(maxsize=256)
def read_address(text: str) -> Address | None:
    """An address as proxies write it: plain, with a port, in brackets, or an IPv4 one dressed as IPv6.

    >>> read_address("[::ffff:192.0.2.7]:4711")
    IPv4Address('192.0.2.7')
    """
    text = text.strip()
    inner, bracket, port = text.removeprefix("[").partition("]")
    if bracket:
        if port and not _PORT.fullmatch(port):
            return None
    elif inner.count(":") == 1:
        inner = inner.partition(":")[0]
    try:
        # A zone ("%eth0") means something on one machine only.
        address = ipaddress.ip_address(inner.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_one_of(address: Address, trusted: Sequence[Network]) -> bool:
    """Whether an address lies in one of the networks."""
    return any(address in network for network in trusted)


def _hops(environ: dict[str, Any], header: str) -> Iterator[dict[str, str]]:
    """What each proxy said, the nearest one last; only by the header our proxies write.

    A proxy writes one of the two and hands on the other as the client sent it.
    """
    if header == "forwarded":
        for element in parse_http_list(environ.get("HTTP_FORWARDED", "")):
            pairs = (pair.partition("=") for pair in element.split(";"))
            yield {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}
        return
    told = environ.get("HTTP_X_FORWARDED_FOR", "")
    hops = [{"for": text} for text in told.split(",")] if told else [{}]
    for name, key in (("proto", "HTTP_X_FORWARDED_PROTO"), ("host", "HTTP_X_FORWARDED_HOST")):
        hops[-1][name] = environ.get(key, "").rpartition(",")[2].strip()
    yield from hops


def _believe(environ: dict[str, Any], nearest: dict[str, str]) -> None:
    """Scheme and host as the nearest proxy saw them, if they can be such."""
    if nearest.get("proto", "").lower() in {"http", "https"}:
        environ["wsgi.url_scheme"] = nearest["proto"].lower()
    if _HOST.fullmatch(nearest.get("host", "")):
        environ["HTTP_HOST"] = nearest["host"]
