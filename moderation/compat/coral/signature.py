"""Whether a request was signed by Coral: HMAC-SHA-256 over the body, in hexadecimal."""

import hashlib
import hmac

# Coral signs with the old secret beside the new one while they change.
MOST_SIGNATURES = 10


def signed_with(secret: str, body: bytes, header: str) -> bool:
    """Whether one of the signatures of an X-Coral-Signature header is by this secret.

    >>> signed_with("s", b"{}", "sha256=0, sha256=" + hmac.new(b"s", b"{}", "sha256").hexdigest())
    True
    """
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode()
    fits = False
    for one in header.split(",", MOST_SIGNATURES)[:MOST_SIGNATURES]:
        algorithm, _, signature = one.strip().partition("=")
        # All are compared, so that the time tells nothing of which one fits.
        same = hmac.compare_digest(signature.strip().lower().encode("utf-8", "replace"), expected)
        fits |= algorithm == "sha256" and same
    return fits
