"""Passwords as Argon2id hashes (RFC 9106), made and compared by argon2-cffi with its own parameters."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# NIST SP 800-63B-4, section 3.1.1.2: long rather than of many kinds of letters.
LEAST_CHARACTERS, MOST_CHARACTERS = 12, 256


class UnusablePassword(ValueError):
    """The password is too short, too long, or the name itself."""


def hashed(password: str, name: str) -> str:
    """The hash to keep; raises UnusablePassword."""
    if not LEAST_CHARACTERS <= len(password) <= MOST_CHARACTERS:
        raise UnusablePassword(f"A password has {LEAST_CHARACTERS} to {MOST_CHARACTERS} characters.")
    if password.casefold().strip() == name.casefold():
        raise UnusablePassword("Your own name is no password.")
    return _hasher().hash(password)


def fits(kept: str | None, password: str) -> bool:
    """Whether this is the password; without one kept it takes as long to say no."""
    try:
        # Longer than any password that was taken: not worth the work.
        same = len(password) <= MOST_CHARACTERS and _hasher().verify(kept or _nobodys(), password)
    except (VerificationError, InvalidHashError):
        return False
    return same and bool(kept)


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobodys() -> str:
    """A hash to compare with where there is none."""
    return _hasher().hash("nobody")
