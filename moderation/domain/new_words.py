"""New words: the share of words that a model's first weeks did not bring.

The model hashes its words and keeps no list of them, so it cannot say itself which it does not know. Instead
the words of its first weeks are kept as a fingerprint, a Bloom filter (B. H. Bloom, "Space/time trade-offs in
hash coding with allowable errors", CACM 1970): it holds no word in readable form, and takes about one in a
hundred new words for known at most. Some words are new at any time; how many is measured on texts of the same
weeks that are left out of the fingerprint. A share and its error are those of a ratio of two sums over texts
(W. G. Cochran, "Sampling Techniques", Wiley 1977, chapter 6), for words of one text come together.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import sqrt

from moderation.domain.drift import Level

# 64 KiB, enough for 50,000 different words.
BITS = 1 << 19
MOST_WORDS = 50_000
# Bits a word: four numbers of four bytes of one digest.
_HASHES = 4
# With fewer texts then or now nothing is said.
FEWEST_TEXTS = 200
# By which factor the share must have grown, and by how much at least: a rule of our own, none is usual.
WATCH_FACTOR, ALARM_FACTOR, LEAST_GROWTH = 1.5, 2.0, 0.05
# Beyond chance: one look in two thousand.
_ERRORS = 3.29


@dataclass(frozen=True)
class NewWords:
    """The share of new words in so many texts, and its standard error."""

    texts: int
    share: float
    error: float


def fingerprint(words: Iterable[str]) -> bytes:
    """What tells later whether a word was among these; words beyond the most it can hold are left out.

    >>> made = fingerprint(["kind", "words"])
    >>> is_known(made, "kind"), is_known(made, "crypto")
    (True, False)
    """
    bits, held = bytearray(BITS // 8), set[str]()
    for word in words:
        if word in held or len(held) >= MOST_WORDS:
            continue
        held.add(word)
        for place in _places(word):
            bits[place >> 3] |= 1 << (place & 7)
    return bytes(bits)


def is_known(made: bytes, word: str) -> bool:
    """Whether a word was there when the fingerprint was made; wrongly yes for a few."""
    return all(made[place >> 3] & 1 << (place & 7) for place in _places(word))


def new_words(made: bytes, texts: Sequence[Sequence[str]]) -> NewWords:
    """The share of words in these texts that the fingerprint does not know.

    >>> new_words(fingerprint(["kind", "words"]), [["kind", "words"], ["buy", "words"]]).share
    0.25
    """
    pairs = [(sum(not is_known(made, word) for word in words), len(words)) for words in texts if words]
    whole = sum(size for _, size in pairs)
    if not whole:
        return NewWords(0, 0.0, 0.0)
    share = sum(new for new, _ in pairs) / whole
    spread = sum((new - share * size) ** 2 for new, size in pairs)
    return NewWords(len(pairs), share, sqrt(spread) / whole)


def words_level(then: NewWords, now: NewWords) -> Level | None:
    """What the growth of the share is worth; None with too few texts.

    >>> words_level(NewWords(400, 0.05, 0.005), NewWords(500, 0.06, 0.005))
    <Level.NONE: 'none'>
    >>> words_level(NewWords(400, 0.05, 0.005), NewWords(500, 0.2, 0.01))
    <Level.ALARM: 'alarm'>
    """
    if min(then.texts, now.texts) < FEWEST_TEXTS:
        return None
    growth = now.share - then.share
    if growth < LEAST_GROWTH or growth <= _ERRORS * sqrt(then.error**2 + now.error**2):
        return Level.NONE
    if now.share >= ALARM_FACTOR * then.share:
        return Level.ALARM
    return Level.WATCH if now.share >= WATCH_FACTOR * then.share else Level.NONE


def _places(word: str) -> Iterator[int]:
    # Not Python's own hash: it differs from process to process.
    digest = blake2b(word.encode(errors="surrogatepass"), digest_size=4 * _HASHES).digest()
    for start in range(0, len(digest), 4):
        yield int.from_bytes(digest[start : start + 4], "big") % BITS
