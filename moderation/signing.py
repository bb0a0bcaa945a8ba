"""Small signed values: receipts of comments and cursors of lists, by HMAC-SHA-256 (RFC 2104)."""

import base64
import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

SIGNATURE_BYTES = 16


class BadCursor(Exception):
    """The cursor was not made here, or for another list."""


def receipt_for(comment_id: str, secret: bytes) -> str:
    """The secret an anonymous author holds to see what became of their comment."""
    return _text(_sign(b"receipt:" + comment_id.encode(), secret))


def receipt_fits(receipt: str, comment_id: str, secret: bytes) -> bool:
    """Whether a receipt belongs to a comment, compared in constant time."""
    return hmac.compare_digest(receipt.encode(), receipt_for(comment_id, secret).encode())


def make_cursor(position: list[Any], listing: str, secret: bytes) -> str:
    """The place in a list after which the next page begins; `listing` names list, filters and order."""
    plain = [value.isoformat() if isinstance(value, datetime) else value for value in position]
    body = json.dumps(plain).encode()
    return _text(_sign(_bound(body, listing), secret) + body)


def read_cursor(cursor: str, listing: str, secret: bytes) -> list[Any]:
    """The position of a cursor made for this very list; raises BadCursor."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        signature, body = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
    except ValueError:
        raise BadCursor("this is no cursor") from None
    if not hmac.compare_digest(signature, _sign(_bound(body, listing), secret)):
        raise BadCursor("this cursor belongs to another list, other filters or another installation")
    position: list[Any] = json.loads(body)
    return position


def _bound(body: bytes, listing: str) -> bytes:
    return b"cursor:" + hashlib.sha256(listing.encode()).digest() + body


def _sign(value: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, value, "sha256")[:SIGNATURE_BYTES]


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
