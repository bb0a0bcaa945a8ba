"""Limits on how often a site, an address or a guess may come: who is charged for what, and what is answered.

A site's secret key is its server's, which speaks for all its readers from one address: it is charged to the
site alone. What comes from browsers, with the public key, is charged to the address first, so that one reader
who floods does not use up what the site has for all.
"""

import ipaddress
import math

from flask import request

from moderation.api.problems import MEDIA_TYPE, Problem
from moderation.api.service import service
from moderation.models import KeyKind
from moderation.rates import Charge, Refusal
from moderation.schemas.problems import ProblemSchema
from moderation.services.access import SiteCaller
from moderation.setting_values import Rate

# What one customer of a provider gets, more or less: less would be easy to walk around, more hits neighbours.
PREFIXES = {4: 24, 6: 48}
# How the OpenAPI document tells of it.
TOO_MANY = {
    "schema": ProblemSchema,
    "content_type": MEDIA_TYPE,
    "description": "Too many; wait as long as Retry-After says",
    "headers": {
        "Retry-After": {"schema": {"type": "integer"}},
        "RateLimit-Policy": {"schema": {"type": "string"}, "example": '"site";q=6000;w=60'},
        "RateLimit": {"schema": {"type": "string"}, "example": '"site";r=0;t=12'},
    },
}


def charge_submission(caller: SiteCaller, cost: int = 1) -> None:
    """Count `cost` comments that a site hands in; raises a Problem when it is too many."""
    settings = service().settings
    charges: list[Charge] = []
    if caller.kind is KeyKind.SITE_PUBLIC:
        charges += _charges("address", settings.rate_address, address_prefix(), cost)
    _take(*charges, *_charges("site", settings.rate_site, caller.site_id, cost))


def charge_unknown_key() -> None:
    """Count a request with a key that is not known; raises a Problem when it is too many.

    A known key is never refused: otherwise anybody could lock out a blog whose server is a neighbour, and
    guessing a key is hopeless at any speed.
    """
    _take(*_charges("keys", service().settings.rate_keys, address_prefix(), 1))


def charge_guess() -> None:
    """Count an attempt to sign in, right or wrong; raises a Problem when it is too many."""
    _take(*_charges("guesses", service().settings.rate_guesses, address_prefix(), 1))


def address_prefix() -> str:
    """The network of the client's address; one word for all whose address is not known."""
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network((address, PREFIXES[address.version]), strict=False))


def _charges(name: str, rate: Rate | None, who: str, cost: int) -> list[Charge]:
    return [] if rate is None else [Charge(name, rate, who, cost)]


def _take(*charges: Charge) -> None:
    refusal = service().rates.take(*charges)
    if refusal is not None:
        raise rate_limited(refusal)


def rate_limited(refusal: Refusal) -> Problem:
    """The answer to too many; the header fields are those of draft-ietf-httpapi-ratelimit-headers-10."""
    charge, seconds = refusal.charge, max(1, math.ceil(refusal.seconds))
    headers = {
        "Retry-After": str(seconds),
        "RateLimit-Policy": f'"{charge.name}";q={charge.rate.amount};w={charge.rate.seconds}',
        "RateLimit": f'"{charge.name}";r={refusal.left};t={seconds}',
    }
    unit = "second" if seconds == 1 else "seconds"
    return Problem("rate-limited", f"try again in {seconds} {unit}", headers, limit=charge.name)
