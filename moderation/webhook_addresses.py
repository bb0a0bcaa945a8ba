"""Which addresses webhooks may go to: the rule against requests into one's own network (SSRF)."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

PORTS = {"http": 80, "https": 443}
# Below these live mail, files and the like, which a forged request could talk to.
FIRST_FREE_PORT = 1024
# IPv6 addresses that lead to an IPv4 one, and where in them it is: NAT64 (RFC 6052), 6to4.
_NAT64 = ip_network("64:ff9b::/96")
_SIX_TO_FOUR = ip_network("2002::/16")
# Of IPv6 nothing else is the internet: not the former site-local fec0::/10, not a network's own NAT64
# 64:ff9b:1::/48 (RFC 8215), whatever the tables of this Python know of them.
_GLOBAL_UNICAST = ip_network("2000::/3")
# Public by the registries, but not the internet's: Azure's and Oracle's own servers for each machine, the
# anycast of 6to4 and of IPv4's protocols, and documentation.
_NOT_PUBLIC = tuple(
    map(ip_network, ("168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24", "2001::/23", "3fff::/20"))
)


class BadAddress(ValueError):
    """A webhook must not go there; the words may be shown."""


def check_url(url: str, *, private: bool) -> None:
    """Refuse what is no web address, carries a password, or names a port or an address not allowed."""
    try:
        parts = urlsplit(url)
        port = parts.port
        host = parts.hostname
    except ValueError:
        raise BadAddress("is no valid URL") from None
    if parts.scheme not in PORTS or not host:
        raise BadAddress("must start with https:// or http://")
    if any(character <= " " or character > "~" for character in url):
        raise BadAddress("must be written in ASCII without spaces")
    if parts.username is not None or parts.password is not None:
        raise BadAddress("must not hold a user or password")
    if parts.fragment:
        raise BadAddress("must not hold a fragment")
    if port is not None and not private and port not in PORTS.values() and port < FIRST_FREE_PORT:
        raise BadAddress(f"may use port 80, 443 or from {FIRST_FREE_PORT} on")
    if port == 0:
        raise BadAddress("must not use port 0")
    _check_literal(host, private=private)


def is_public(address: str) -> bool:
    """Whether an address is one of the public internet.

    >>> is_public("93.184.216.34"), is_public("169.254.169.254"), is_public("::ffff:10.0.0.1")
    (True, False, False)
    """
    ip = ip_address(address.partition("%")[0])
    inner = _inner(ip) if isinstance(ip, IPv6Address) else None
    if inner is not None:
        return is_public(str(inner))
    if ip.version == 6 and ip not in _GLOBAL_UNICAST:
        return False
    if any(ip.version == network.version and ip in network for network in _NOT_PUBLIC):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def _inner(ip: IPv6Address) -> IPv4Address | None:
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.sixtofour if ip in _SIX_TO_FOUR else None


def _check_literal(host: str, *, private: bool) -> None:
    try:
        public = is_public(host)
    except ValueError:
        # A name; it is checked when it is looked up, before each connection.
        return
    if not private and not public:
        raise BadAddress("is an address of a private network")
