"""Settings whose value has a form of its own: rates, networks and the addresses of Redis."""

import ipaddress
import re
from typing import NamedTuple

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_RATE = re.compile(rf"([1-9]\d{{0,8}})/({'|'.join(_SECONDS)})", re.ASCII)
_SENTINEL = re.compile(
    r"(?P<scheme>rediss?)\+sentinel://(?P<credentials>(?:[^/?#]*@)?)(?P<hosts>[^/?#@]+)"
    r"/(?P<service>[\w.-]+)(?:/(?P<database>\d{0,4}))?(?:\?(?P<query>[^#]*))?",
    re.ASCII,
)
_HOST = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[\w.-]+)(?::(?P<port>\d{1,5}))?", re.ASCII)
SENTINEL_PORT = 26379
REDIS_SCHEMES = ("redis", "rediss", "unix")


class Rate(NamedTuple):
    """So many in so many seconds."""

    amount: int
    seconds: int


class SentinelParts(NamedTuple):
    """What a Sentinel URL says."""

    scheme: str
    credentials: str
    hosts: list[tuple[str, int]]
    service: str
    database: int
    query: str


def switch(text: str) -> bool:
    """On or off, in words.

    >>> switch("True")
    True
    """
    if text.lower() not in {"true", "false"}:
        raise ValueError("must be true or false")
    return text.lower() == "true"


def rate(text: str) -> Rate | None:
    """A rate, or None for `off`.

    >>> rate("60/minute")
    Rate(amount=60, seconds=60)
    """
    if text.lower() == "off":
        return None
    found = _RATE.fullmatch(text.lower())
    if found is None:
        raise ValueError("must be a number per second, minute, hour or day, such as 60/minute, or off")
    return Rate(int(found[1]), _SECONDS[found[2]])


def networks(text: str) -> tuple[Network, ...]:
    """Addresses and prefixes, separated by commas or spaces.

    >>> networks("10.0.0.0/8, ::1")
    (IPv4Network('10.0.0.0/8'), IPv6Network('::1/128'))
    """
    try:
        return tuple(ipaddress.ip_network(part) for part in text.replace(",", " ").split())
    except ValueError:
        raise ValueError("must be addresses or prefixes such as 10.0.0.0/8, separated by commas") from None


def redis_url(text: str) -> str:
    """A URL of Redis that `moderation.redis_connection` can use."""
    if not text or text.startswith(tuple(f"{scheme}://" for scheme in REDIS_SCHEMES)):
        return text
    if not is_sentinel(text):
        forms = ", ".join(f"{scheme}://" for scheme in REDIS_SCHEMES)
        raise ValueError(f"must be a URL starting with {forms}, redis+sentinel:// or rediss+sentinel://")
    sentinel_parts(text)
    return text


def is_sentinel(url: str) -> bool:
    """Whether a URL of Redis names sentinels, which are asked for the master."""
    return url.startswith(("redis+sentinel://", "rediss+sentinel://"))


def sentinel_parts(url: str) -> SentinelParts:
    """The parts of a Sentinel URL; not by urllib, which knows one host and one port.

    >>> sentinel_parts("redis+sentinel://:secret@one,two:26380/mymaster/2").hosts
    [('one', 26379), ('two', 26380)]
    """
    found = _SENTINEL.fullmatch(url)
    hosts = [_HOST.fullmatch(host) for host in found["hosts"].split(",")] if found else []
    if found is None or not all(hosts):
        raise ValueError(
            "must name sentinels and a service: redis+sentinel://host:26379,host2:26379/service/0"
        )
    return SentinelParts(
        found["scheme"],
        found["credentials"],
        [(host["host"].strip("[]"), int(host["port"] or SENTINEL_PORT)) for host in hosts if host],
        found["service"],
        int(found["database"] or 0),
        found["query"] or "",
    )
