"""Secrets and signatures of webhooks, as Standard Webhooks 1.0.0 has them (HMAC-SHA-256, RFC 2104).

A secret is not stored: it is computed from the installation's key and a random salt, so that a copy of the
database alone signs nothing. Another SECRET_KEY therefore means other secrets.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence

SECRET_PREFIX = "whsec_"  # noqa: S105 - how every secret begins


def webhook_secret(salt: str, key: bytes) -> str:
    """The secret that belongs to a salt: 32 bytes nobody can guess without the installation's key."""
    raw = hmac.new(key, b"webhook:" + salt.encode(), hashlib.sha256).digest()
    return SECRET_PREFIX + base64.b64encode(raw).decode()


def webhook_headers(delivery_id: str, at: int, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """The three headers of a try, made at this moment (Unix seconds); a signature for each secret."""
    signed = b".".join([delivery_id.encode(), str(at).encode(), body])
    signatures = [
        hmac.new(base64.b64decode(one.removeprefix(SECRET_PREFIX)), signed, hashlib.sha256).digest()
        for one in secrets
    ]
    return {
        "webhook-id": delivery_id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join("v1," + base64.b64encode(one).decode() for one in signatures),
    }
