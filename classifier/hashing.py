"""Hash words and their character n-grams without a vocabulary, many words at once.

With an odd M, h(c0 c1 ...) = sum of c[i] * M^-i (mod 2^64) gives every substring the hash
(S[end] - S[start]) * M^start from prefix sums S: one cumulative sum serves all n-grams (Karp and Rabin
1987). It also joins: h(ab) = h(a) + M^-len(a) * h(b), so a pair of words has the hash of the word they make
together.
A finaliser (splitmix64) spreads the bits.
"""

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

SHORTEST, LONGEST = 2, 5
_BASE = 0x9E3779B97F4A7C15
_INVERSE = pow(_BASE, -1, 1 << 64)
_ONE, _WORD_SALT, _PAIR_SALT = np.uint64(1), np.uint64(1), np.uint64(7)


class HashedWords(NamedTuple):
    """`hashes` (n,) and `steps` (n,), M^-length, join words.

    `own` (n,) is each word's row of the weight table; `columns` (total,) lists those of word 0's n-grams,
    then of word 1's, and word i's begin at `starts[i]` (n,) and are `counts[i]` (n,) in number.
    """

    hashes: Hashes
    steps: Hashes
    own: NDArray[np.int64]
    columns: NDArray[np.int64]
    starts: NDArray[np.int64]
    counts: NDArray[np.int64]


def hash_words(words: Sequence[str], bits: int) -> HashedWords:
    """Hash each word, and its character n-grams, into 2**bits columns; no word is empty."""
    # Hangul by its letters: a syllable is hardly ever seen twice, its letters are.
    padded = [f" {word if word.isascii() else unicodedata.normalize('NFD', word)} " for word in words]
    codes = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    size = len(codes)
    lengths = np.array([len(word) for word in padded], dtype=np.int64)
    ends = np.add.accumulate(lengths)
    begins = ends - lengths
    powers, inverses = _powers(size + 1)
    # Longer than the text, so that each n-gram has an end there, also those that reach beyond it.
    sums = np.zeros(size + LONGEST, np.uint64)
    np.add.accumulate((codes + _ONE) * inverses[:size], out=sums[1 : size + 1])
    hashes = (sums[ends - 1] - sums[begins + 1]) * powers[begins + 1]

    grams_end = np.arange(size)[:, None] + _SIZES
    there = grams_end <= ends.repeat(lengths)[:, None]
    grams = sums.take(grams_end)
    grams -= sums[:size, None]
    grams *= powers[:size, None]
    grams += _SALTS
    counts = np.add.reduce(np.maximum(lengths[:, None] + 1 - _SIZES, 0), axis=1)
    # Few words are looked up at once as a rule: then time goes by the number of steps.
    columns = _column(np.concatenate([hashes + _WORD_SALT, grams[there]]), bits)
    own, columns = columns[: len(words)], columns[len(words) :]
    starts = np.add.accumulate(counts) - counts
    return HashedWords(hashes, inverses[lengths - 2], own, columns, starts, counts)


def pair_columns(hashes: Hashes, steps: Hashes, bits: int) -> NDArray[np.int64]:
    """The columns (n - 1,) of neighbouring words in a row of n: those of the words they make together.

    >>> apart, together = hash_words(["bad", "word"], 16), hash_words(["badword"], 16)
    >>> joined = apart.hashes[:1] + apart.steps[:1] * apart.hashes[1:]
    >>> bool((joined == together.hashes).all())
    True
    """
    return _column(hashes[:-1] + steps[:-1] * hashes[1:] + _PAIR_SALT, bits)


def word_columns(hashes: Hashes, bits: int) -> NDArray[np.int64]:
    """The columns (n,) of words alone: those of `pair_columns`, so a word cut in two is found again."""
    return _column(hashes + _PAIR_SALT, bits)


def _column(hashes: Hashes, bits: int) -> NDArray[np.int64]:
    """The first bits of a hash, at most 31: the finaliser's last step would not change these."""
    hashes = hashes ^ (hashes >> _SHIFTS[0])
    hashes *= _FACTORS[0]
    hashes ^= hashes >> _SHIFTS[1]
    hashes *= _FACTORS[1]
    hashes >>= np.uint64(64 - bits)
    return hashes.view(np.int64)


def _powers(size: int) -> tuple[Hashes, Hashes]:
    """M^i and M^-i for i < size; the first few are always at hand."""
    if size <= len(_FIRST_POWERS[0]):
        return _FIRST_POWERS
    return _multiplied(_BASE, size), _multiplied(_INVERSE, size)


def _multiplied(base: int, size: int) -> Hashes:
    factors = np.full(size, base, dtype=np.uint64)
    factors[:1] = 1
    return np.multiply.accumulate(factors)


_SHIFTS = np.array([30, 27], np.uint64)
_FACTORS = np.array([0xBF58476D1CE4E5B9, 0x94D049BB133111EB], np.uint64)
_SIZES = np.arange(SHORTEST, LONGEST + 1)
_SALTS = (_SIZES + 2).astype(np.uint64)
_FIRST_POWERS = (_multiplied(_BASE, 4096), _multiplied(_INVERSE, 4096))
