"""How alike two texts are, told from a few hashed numbers of each: their imprints.

A text is the set of its pairs of neighbouring words, in either order. Each pair gets a number that follows
from its words alone, the smaller the longer they are, for long words are rare; the smallest numbers of a text
are its imprint. Two texts that share a pair share its number, so what the imprints have in common tells what
the texts have in common. Another order of the sentences, or others between them, change little.
"""

import hashlib
import struct
from bisect import bisect
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

# More of a long text is not kept: what this many tell of the likeness of two texts is right to some 6 %.
MOST_NUMBERS = 64
# More words of a text are not read.
MOST_WORDS = 2_000
# Longer words say no more.
_LONGEST = 12
_MASK = (1 << 48) - 1

Imprint = tuple[int, ...]


def imprint_of(words: Sequence[str]) -> Imprint:
    """The smallest numbers of a text's pairs, in order; empty when there is no pair.

    >>> imprint_of("buy cheap watches now".split()) == imprint_of("now watches cheap buy".split())
    True
    """
    read = [_word(word) for word in words[:MOST_WORDS]]
    pairs = {
        ((one + other) & _MASK) // (size + length) ** 2
        for (one, size), (other, length) in pairwise(read)
        if one != other
    }
    return tuple(sorted(pairs)[:MOST_NUMBERS])


def similarity(left: Imprint, right: Imprint) -> float:
    """The share of pairs that two texts have in common, from 0 to 1, those of long words counting more.

    >>> similarity((1, 2, 3), (2, 3, 4)), similarity((), ())
    (0.5, 0.0)
    """
    if len(left) == MOST_NUMBERS or len(right) == MOST_NUMBERS:
        # Beyond the last number of an imprint that was cut short nothing is known of its text.
        known = min(one[-1] for one in (left, right) if len(one) == MOST_NUMBERS)
        left, right = left[: bisect(left, known)], right[: bisect(right, known)]
    both = len(set(left).intersection(right))
    either = len(left) + len(right) - both
    return round(both / either, 3) if either else 0.0


def packed(imprint: Imprint) -> bytes:
    """An imprint in the form it is stored in.

    >>> unpacked(packed((1, 2, 1 << 47)))
    (1, 2, 140737488355328)
    """
    return struct.pack(f">{len(imprint)}Q", *imprint)


def unpacked(stored: bytes) -> Imprint:
    """The imprint that was stored."""
    return struct.unpack(f">{len(stored) // 8}Q", stored)


def keys_of(imprint: Imprint, site_id: str, most: int) -> list[int]:
    """The numbers under which a text of this site is found: the first of its imprint, another on every site.

    >>> keys_of((1, 2, 3), "site_a", 2) == keys_of((1, 2, 4), "site_a", 2)
    True
    >>> keys_of((1, 2, 3), "site_a", 2) == keys_of((1, 2, 3), "site_b", 2)
    False
    """
    site, _ = _word(site_id)
    return [number ^ site for number in imprint[:most]]


@lru_cache(maxsize=1 << 15)
def _word(word: str) -> tuple[int, int]:
    """A number that stands for a word, and how much it says: what stands for any link or name says little."""
    digest = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=6).digest()
    return int.from_bytes(digest, "big"), 1 if word.startswith("<") else min(len(word), _LONGEST)
