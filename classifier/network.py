"""The network that scores comments: hashed word vectors, one convolution, one hidden layer; numpy alone.

A word's vector is the sum of the rows of its character n-grams, so a new spelling is near the old one
(Bojanowski et al. 2017). Part of it adds to the logits directly; the rest is seen three words at a time by a
convolution, pooled over the comment and passed through a hidden layer (Kim 2014). Word pairs add to the
logits too, and facts and author to that of spam.
"""

from collections.abc import Iterator, Mapping, Sequence
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
_DIRECT, _AUTHOR, _INWARD = slice(0, _LABELS), slice(_LABELS, _LABELS + 2), slice(_LABELS + 2, None)
# So many words are convolved at once: what fits a processor's cache is quickest.
_WORDS_AT_ONCE = 2048


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
    hidden: Floats  # (2 * h + d, k): largest, mean, and mean of the words; of older ones (2 * h, k)
    hidden_bias: Floats  # (k,)
    out: Floats  # (k, 7)
    bias: Floats  # (7,)
    slope: Floats  # (7,): calibration, logit * slope + shift
    shift: Floats  # (7,)
    # A long text is also read in stretches of so many words; 0, as in older models: as a whole only.
    stretch: int = 0

    @property
    def table_bits(self) -> int:
        """log2 of the rows of `table`."""
        return len(self.table).bit_length() - 1

    @property
    def pair_bits(self) -> int:
        """log2 of the rows of `pairs`."""
        return len(self.pairs).bit_length() - 1


# What is longer than one and a half stretches is long; each stretch begins in the middle of the one before.
_LONG = 1.5
# So much less, in log-odds, a stretch of a text says than the whole of one: there are many in a text. Chosen
# on dev; a model in the field was calibrated with it, so another number needs another model.
STRETCH_LESS = 0.25


class Pooled(NamedTuple):
    """What the words of n comments come to: to the logits, and what the hidden layer sees of them."""

    direct: Floats  # (n, 7)
    inner: Floats  # (n, 2 * h + d)


class Reading(NamedTuple):
    """What the network makes of n comments; `words` may hold more texts after those n."""

    logits: Floats  # (n, 7)
    hidden: Floats  # (n, k)
    words: Read


class Network:
    """Weights, and the memory of words that goes with them."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.windows = h = len(weights.window_bias)
        # So many numbers of each word go into the mean of all, whatever stands around it.
        self._gist = len(weights.hidden) - 2 * h
        widths = (h + _LABELS + self._gist, h, h, 2)
        self.vocabulary = Vocabulary(weights.table_bits, widths, self._vectors)
        # The window's bias comes with the word in its middle: one addition for each word less.
        self._window = weights.window.astype(np.float64)
        self._window_bias = np.pad(weights.window_bias, h).astype(np.float64)
        self._layers = weights.hidden.astype(np.float64), weights.out.astype(np.float64)
        self._links = hash_words([LINK, EMAIL], weights.table_bits).hashes
        # Looked up for every word, so as they are used; the last row is for a word beside a gap.
        self._pairs = np.concatenate(
            [weights.pairs * weights.pairs_scale, np.zeros((1, _LABELS), np.float32)]
        )

    def read(self, comments: Sequence[Mapping[str, Any]]) -> Reading:
        """Logits and hidden layer of some comments; each row depends on its own comment alone."""
        w = self.weights
        others = [about(comment) for comment in comments]
        texts = [body_of(comment) for comment in comments]
        for other in others:
            if other is not NOTHING:
                texts += filter(None, (other.name, other.addresses, other.topic))
        words = self.vocabulary.read(texts)
        body = words.part(0, len(comments))
        hidden, logits = self.judge(body)
        owners, parts = self.stretches(body)
        if len(owners):
            np.maximum.at(logits, owners, self.judge(parts)[1] - STRETCH_LESS)
        logits[:, 0] += self._spam_facts(others, words, body)
        return Reading((logits * w.slope + w.shift).astype(np.float32), hidden, words)

    def judge(self, body: Read) -> tuple[Floats, NDArray[np.float64]]:
        """The hidden layer (n, k) and logits (n, 7) of texts or stretches, without facts and calibration."""
        pooled = self.pool(body)
        hidden, logits = self.layers(pooled.inner)
        return hidden, logits + pooled.direct

    def stretches(self, body: Read) -> tuple[NDArray[np.int64], Read]:
        """Of which text each of m stretches is, and the stretches: what is bad stays so among much else."""
        size, half = self.weights.stretch, self.weights.stretch // 2
        found = [
            (text, at, min(at + size, int(body.ends[text])))
            for text in np.flatnonzero(body.ends - body.starts > _LONG * size).tolist()
            if size
            for at in range(int(body.starts[text]), int(body.ends[text]) - half, half)
        ]
        owners, starts, ends = np.array(found, dtype=np.int64).reshape(-1, 3).T
        return owners, body._replace(starts=starts, ends=ends)

    def pool(self, body: Read) -> Pooled:
        """Convolve the words of each text, and add up what they come to."""
        n, h = len(body.starts), self.windows
        width = h + _LABELS + self._gist
        sums, largest = np.empty((n, width), np.float32), np.empty((n, h), np.float32)
        for first, end in _runs(body):
            part = body.part(first, end)
            seen = self.see(part)
            convolved = seen[:, :h]
            places = zip(range(first, end), part.starts.tolist(), part.ends.tolist(), strict=True)
            # A loop over texts is quicker here than `ufunc.reduceat` over all of them.
            for i, start, stop in places:
                np.add.reduce(seen[start:stop], axis=0, out=sums[i])
                np.maximum.reduce(convolved[start:stop], axis=0, out=largest[i])
        lengths = (body.ends - body.starts).astype(np.float32)[:, None]
        direct, gist = sums[:, h : h + _LABELS], sums[:, h + _LABELS :]
        inner = np.concatenate([largest, sums[:, :h] / lengths, gist / lengths], axis=1)
        return Pooled((direct / np.sqrt(lengths)).astype(np.float32), inner)

    def see(self, body: Read) -> Floats:
        """The convolution around each word (words, h) beside what the word and its pair with the next add to
        the logits (words, 7), and the word's own numbers (words, d)."""
        own, before, after, _ = body.vectors
        h = self.windows
        seen = own.take(body.ids, axis=0)
        convolved = seen[:, :h]
        convolved[1:] += before.take(body.ids[:-1], axis=0)
        convolved[:-1] += after.take(body.ids[1:], axis=0)
        np.maximum(convolved, 0, out=convolved)
        seen[:-1, h : h + _LABELS] += self.pairs(body)
        return seen

    def inward(self, body: Read) -> tuple[Floats, ...]:
        """What each word gives to the window after it, its own and the one before it (words, h)."""
        own, before, after = (part.take(body.ids, axis=0)[:, : self.windows] for part in body.vectors[:3])
        return before, own - self.weights.window_bias, after

    def alone(self, body: Read) -> tuple[Floats, Floats]:
        """What each word adds to the logits (words, 7), and gives to the mean of all (words, d)."""
        own = body.vectors[0].take(body.ids, axis=0)[:, self.windows :]
        return own[:, :_LABELS], own[:, _LABELS:]

    def pairs(self, body: Read) -> Floats:
        """What the pair of each word with the next adds to the logits (words - 1, 7); 0 beside a gap."""
        ids = body.ids
        columns = pair_columns(body.hashes.take(ids), body.steps.take(ids), self.weights.pair_bits)
        gaps = np.flatnonzero(ids == GAP)
        columns[gaps[gaps > 0] - 1] = columns[gaps[gaps < len(columns)]] = len(self._pairs) - 1
        return self._pairs.take(columns, axis=0)

    def _vectors(self, hashed: HashedWords) -> tuple[Floats, ...]:
        """The vectors of n words: their rows summed over the root of their number.

        What each gives to the window around itself, to the logits and to the mean of all (n, h + 7 + d), to
        the windows of the words after and before it (n, h), and to spam as a name and as an address (n, 2).
        In double precision: then rounding to single does not depend on which words are looked up together.
        """
        w = self.weights
        # Sums of whole numbers are exact in single precision too.
        grams = w.table.take(hashed.columns, axis=0).astype(np.float32)
        rows = np.add.reduceat(grams, hashed.starts, axis=0)
        rows += w.table.take(hashed.own, axis=0)
        vectors = rows.astype(np.float64) * (w.table_scale / np.sqrt(hashed.counts + 1.0)[:, None])
        vectors[:, _DIRECT] += self._pairs[word_columns(hashed.hashes, w.pair_bits)]
        inward = vectors[:, _INWARD] @ self._window + self._window_bias
        h = self.windows
        before, own, after = inward[:, :h], inward[:, h : 2 * h], inward[:, 2 * h :]
        gist = vectors[:, _INWARD][:, : self._gist]
        itself = np.concatenate([own, vectors[:, _DIRECT], gist], axis=1)
        return tuple(part.astype(np.float32) for part in (itself, before, after, vectors[:, _AUTHOR]))

    def layers(self, pooled: Floats) -> tuple[Floats, NDArray[np.float64]]:
        """The hidden layer (n, k) and what it adds to the logits (n, 7), the bias included.

        In double precision: then the result in single does not depend on how many rows are multiplied.
        """
        first, second = self._layers
        hidden = np.maximum(pooled.astype(np.float64) @ first + self.weights.hidden_bias, 0)
        return hidden.astype(np.float32), hidden @ second + self.weights.bias

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
                added[i] += _mean_root(words.vectors[-1][words.of(at), 0])
                at += 1
            if other.addresses:
                added[i] += _mean_root(words.vectors[-1][words.of(at), 1])
                at += 1
            if other.topic:
                shared = len(set(words.of(at).tolist()).intersection(words.of(i).tolist()))
                at += 1
            added[i] += weights[numbers_of(other, names, shared)].sum()
        return np.asarray(added)


def _mean_root(values: Floats) -> float:
    return float(values.sum() / np.sqrt(len(values)))


def _runs(body: Read) -> Iterator[tuple[int, int]]:
    """Texts first..end in runs of about as many words as are convolved at once, at least one text each."""
    first, ends = 0, body.ends
    while first < len(ends):
        end = int(np.searchsorted(ends, body.starts[first] + _WORDS_AT_ONCE, side="right"))
        yield first, max(end, first + 1)
        first = max(end, first + 1)


def pack(weights: Weights) -> dict[str, Any]:
    """Weights as a plain dictionary, for a file."""
    return {field.name: getattr(weights, field.name) for field in fields(weights)}
