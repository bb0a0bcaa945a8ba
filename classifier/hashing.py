"""Hash words, word pairs and character n-grams of many texts at once, without a vocabulary.

With an odd M, S[i] = sum of c[k] * M^-k for k < i (mod 2^64) gives every substring a hash that does not
depend on where it stands: (S[end] - S[start]) * M^start. One cumulative sum serves all n-grams (Karp and
Rabin 1987); a finaliser (splitmix64) spreads the bits. Texts are `text.normalise`d: words, single spaces.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_BASE = 0x9E3779B97F4A7C15
_INVERSE = pow(_BASE, -1, 1 << 64)
_SPACE = 32


class Grams(NamedTuple):
    """Occurrences: of which text (row), which column, and the characters start..end of `Joined.codes`."""

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]


class Joined:
    """Texts in one array of code points, each with a space before and after, and its prefix hashes."""

    def __init__(self, texts: Sequence[str]) -> None:
        padded = [f" {text} " for text in texts]
        joined = "".join(padded).encode("utf-32-le", "surrogatepass")
        self.codes = np.frombuffer(joined, dtype=np.uint32).astype(np.uint64)
        lengths = np.array([len(text) for text in padded], dtype=np.int64)
        self.offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        self.rows = np.repeat(np.arange(len(padded)), lengths)
        self.spaces = self.codes == _SPACE
        size = len(self.codes) + 1
        self._powers = _powers(_BASE, size)
        terms = (self.codes + np.uint64(1)) * _powers(_INVERSE, size)[:-1]
        self._sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(terms, dtype=np.uint64)])

    def grams(self, starts: NDArray[np.int64], ends: NDArray[np.int64], bits: int, salt: int) -> Grams:
        """Hash the substrings starts..ends into 2**bits columns."""
        hashes = (self._sums[ends] - self._sums[starts]) * self._powers[starts]
        columns = _mix(hashes + np.uint64(salt)) >> np.uint64(64 - bits)
        return Grams(self.rows[starts], columns.astype(np.int64), starts, ends)

    def word_bounds(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where words start and end."""
        change = np.flatnonzero(self.spaces[1:] != self.spaces[:-1]) + 1
        return change[0::2], change[1::2]


def words(joined: Joined, bits: int) -> Grams:
    """Words, and pairs of neighbouring words."""
    starts, ends = joined.word_bounds()
    same = joined.rows[starts[1:]] == joined.rows[starts[:-1]]
    pairs = joined.grams(starts[:-1][same], ends[1:][same], bits, salt=2)
    return _concatenate([joined.grams(starts, ends, bits, salt=1), pairs])


def characters(joined: Joined, bits: int, shortest: int, longest: int) -> Grams:
    """Character n-grams inside a word, the spaces around it included ("char_wb" in scikit-learn)."""
    crossed = np.concatenate([[0], np.cumsum(joined.spaces)])
    found = []
    for n in range(shortest, longest + 1):
        starts = np.arange(max(len(joined.codes) - n + 1, 0))
        inside = crossed[starts + n - 1] - crossed[starts + 1] == 0
        inside &= ~(joined.spaces[starts] & joined.spaces[starts + n - 1])
        found.append(joined.grams(starts[inside], starts[inside] + n, bits, salt=n + 2))
    return _concatenate(found)


def _concatenate(parts: Sequence[Grams]) -> Grams:
    return Grams(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _powers(base: int, size: int) -> NDArray[np.uint64]:
    factors = np.full(size, base, dtype=np.uint64)
    factors[0] = 1
    return np.multiply.accumulate(factors)


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
