"""The network that scores comments: hashed word vectors, one convolution, one hidden layer; numpy alone.

A word's vector is the sum of the rows of its character n-grams, so a new spelling is near the old one
(Bojanowski et al. 2017). Part of it adds to the logits directly; the rest is seen three words at a time by a
convolution, pooled over the comment and passed through a hidden layer (Kim 2014). Word pairs add to the
logits too, and facts and author to that of spam.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifier.categories import CATEGORIES
from classifier.facts import NOTHING, About, about, body_of, numbers_of, sizes_of
from classifier.hashing import HashedWords, hash_words, pair_columns, word_columns
from classifier.text import EMAIL, LINK
from classifier.vocabulary import GAP, Read, Vocabulary

Floats = NDArray[np.float32]

_LABELS = len(CATEGORIES)
# The columns of a row of the table: to the logits, to spam as a name or an address of the author, inwards.
_DIRECT, _NAME, _ADDRESS, _INWARD = slice(0, _LABELS), _LABELS, _LABELS + 1, _LABELS + 2


@dataclass(frozen=True)
class Weights:
    """What training found. Tables are whole numbers times a scale per column: a quarter of the size."""

    table: NDArray[np.int8]  # (2**b, 9 + d): n-grams
    table_scale: Floats  # (9 + d,)
    pairs: NDArray[np.int8]  # (2**p, 7): words and pairs of them
    pairs_scale: Floats  # (7,)
    facts: Floats  # (FACTS,): to spam alone
    window: Floats  # (d, 3 * h): the word before, the word, the word after
    window_bias: Floats  # (h,)
    hidden: Floats  # (2 * h, k)
    hidden_bias: Floats  # (k,)
    out: Floats  # (k, 7)
    bias: Floats  # (7,)
    slope: Floats  # (7,): calibration, logit * slope + shift
    shift: Floats  # (7,)

    @property
    def table_bits(self) -> int:
        """log2 of the rows of `table`."""
        return len(self.table).bit_length() - 1

    @property
    def pair_bits(self) -> int:
        """log2 of the rows of `pairs`."""
        return len(self.pairs).bit_length() - 1


class Reading(NamedTuple):
    """What the network makes of n comments; `words` may hold more texts after those n."""

    logits: Floats  # (n, 7)
    hidden: Floats  # (n, k)
    words: Read


class Network:
    """Weights, and the memory of words that goes with them."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        h = len(weights.window_bias)
        self.vocabulary = Vocabulary(weights.table_bits, (_INWARD, h, h, h), self._vectors)
        # The window's bias comes with the word in its middle: one addition for each word less.
        self._window = weights.window.astype(np.float64)
        self._window_bias = np.pad(weights.window_bias, len(weights.window_bias)).astype(np.float64)
        self._layers = weights.hidden.astype(np.float64), weights.out.astype(np.float64)
        self._links = hash_words([LINK, EMAIL], weights.table_bits).hashes

    def read(self, comments: Sequence[Mapping[str, Any]]) -> Reading:
        """Logits and hidden layer of some comments; each row depends on its own comment alone."""
        w = self.weights
        others = [about(comment) for comment in comments]
        texts = [body_of(comment) for comment in comments]
        for other in others:
            if other is not NOTHING:
                texts += filter(None, (other.name, other.addresses, other.topic))
        words = self.vocabulary.read(texts)
        body = words.first(len(comments))
        direct, seen = self.see(body)
        lengths = (body.ends - body.starts).astype(np.float32)[:, None]
        pooled = np.concatenate([largest(seen, body), sums(seen, body) / lengths], axis=1)
        hidden, inner = self.layers(pooled)
        logits = sums(direct, body) / np.sqrt(lengths) + inner
        logits[:, 0] += self._spam_facts(others, words, body)
        return Reading((logits * w.slope + w.shift).astype(np.float32), hidden, words)

    def see(self, body: Read) -> tuple[Floats, Floats]:
        """What each word adds to the logits (words, 7), and the convolution around it (words, h)."""
        direct, before, own, after = body.vectors
        seen = own.take(body.ids, axis=0)
        seen[1:] += before.take(body.ids[:-1], axis=0)
        seen[:-1] += after.take(body.ids[1:], axis=0)
        return direct.take(body.ids, axis=0)[:, _DIRECT] + self.pairs(body), np.maximum(seen, 0, out=seen)

    def inward(self, body: Read) -> tuple[Floats, ...]:
        """What each word gives to the window after it, its own and the one before it (words, h)."""
        _, before, own, after = (part.take(body.ids, axis=0) for part in body.vectors)
        return before, own - self.weights.window_bias, after

    def _vectors(self, hashed: HashedWords) -> tuple[Floats, ...]:
        """The vectors (n, 9 + 3 * h) of n words: their rows summed over the root of their number, and what
        the inward part is to the word after, to itself and to the word before. In double precision, so that
        rounding to single does not depend on which words are looked up together.
        """
        w = self.weights
        counts = np.diff(hashed.starts, append=len(hashed.columns))[:, None] + 1
        # Sums of whole numbers are exact in single precision too.
        grams = w.table.take(hashed.columns, axis=0).astype(np.float32)
        rows = np.add.reduceat(grams, hashed.starts, axis=0)
        rows += w.table.take(hashed.own, axis=0)
        vectors = rows.astype(np.float64) * (w.table_scale / np.sqrt(counts))
        vectors[:, _DIRECT] += w.pairs[word_columns(hashed.hashes, w.pair_bits)] * w.pairs_scale
        inward = (vectors[:, _INWARD:] @ self._window + self._window_bias).astype(np.float32)
        return vectors[:, :_INWARD].astype(np.float32), *np.split(inward, 3, axis=1)

    def pairs(self, body: Read) -> Floats:
        """What the pair of each word with the next adds to the logits (words, 7); 0 beside a gap."""
        w, ids = self.weights, body.ids
        found = w.pairs[pair_columns(body.hashes[ids], body.steps[ids], w.pair_bits)] * w.pairs_scale
        beside_gap = (ids[:-1] == GAP) | (ids[1:] == GAP)
        found[beside_gap] = 0
        return np.concatenate([found, np.zeros((1, _LABELS), np.float32)])

    def layers(self, pooled: Floats) -> tuple[Floats, Floats]:
        """The hidden layer (n, k) and what it adds to the logits (n, 7), the bias included.

        In double precision: then the result in single does not depend on how many rows are multiplied.
        """
        first, second = self._layers
        hidden = np.maximum(pooled.astype(np.float64) @ first + self.weights.hidden_bias, 0)
        return hidden.astype(np.float32), (hidden @ second + self.weights.bias).astype(np.float32)

    def _spam_facts(self, others: Sequence[About], words: Read, body: Read) -> Floats:
        """What facts and author add to the logit of spam (n,)."""
        weights = self.weights.facts
        hashes = body.hashes[body.ids]
        is_link = (hashes == self._links[0]) | (hashes == self._links[1])
        links = np.add.reduceat(is_link, body.starts, dtype=np.int64)
        by_links, by_length = sizes_of(links, body.ends - body.starts)
        added = weights[by_links] + weights[by_length]
        at = len(others)
        for i, other in enumerate(others):
            if other is NOTHING:
                continue
            names = shared = 0
            if other.name:
                names = len(words.of(at))
                added[i] += _mean_root(words.vectors[0][words.of(at), _NAME])
                at += 1
            if other.addresses:
                added[i] += _mean_root(words.vectors[0][words.of(at), _ADDRESS])
                at += 1
            if other.topic:
                shared = len(set(words.of(at).tolist()).intersection(words.of(i).tolist()))
                at += 1
            added[i] += weights[numbers_of(other, names, shared)].sum()
        return np.asarray(added)


def _mean_root(values: Floats) -> float:
    return float(values.sum() / np.sqrt(len(values)))


def largest(values: Floats, words: Read) -> Floats:
    """The largest of each column over each text's words (n, columns)."""
    # A loop over texts is quicker here than `ufunc.reduceat` over all of them.
    return _pooled(np.maximum, values, words)


def sums(values: Floats, words: Read) -> Floats:
    """The sum of each column over each text's words (n, columns)."""
    return _pooled(np.add, values, words)


def _pooled(ufunc: np.ufunc, values: Floats, words: Read) -> Floats:
    pooled = np.empty((len(words.starts), values.shape[1]), np.float32)
    for i, (start, end) in enumerate(zip(words.starts.tolist(), words.ends.tolist(), strict=True)):
        ufunc.reduce(values[start:end], axis=0, out=pooled[i])
    return pooled


def pack(weights: Weights) -> dict[str, Any]:
    """Weights as a plain dictionary, for a file."""
    return {field.name: getattr(weights, field.name) for field in fields(weights)}
