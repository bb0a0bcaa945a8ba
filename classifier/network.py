"""The network that scores comments: hashed word vectors, one convolution, one hidden layer; numpy alone.

A word's vector is the sum of the rows of its character n-grams, so a new spelling is near the old one
(Bojanowski et al. 2017). Part of it adds to the logits directly; the rest is seen three words at a time by a
convolution, pooled over the comment and passed through a hidden layer (Kim 2014). Word pairs add to the
logits too, and facts and author to that of spam. A text in another language than English is read by a
network of its own besides, whose layers English does not fill.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifier.categories import CATEGORIES
from classifier.facts import NOTHING, About, about, body_of, numbers_of, sizes_of
from classifier.hashing import HashedWords, hash_words, pair_columns, word_columns
from classifier.text import EMAIL, LINK
from classifier.vocabulary import GAP, Ids, Read, Vocabulary

Floats = NDArray[np.float32]

_LABELS = len(CATEGORIES)
# The columns of a row of the table: to the logits, to spam as a name or an address of the author, inwards.
_DIRECT, _AUTHOR, _INWARD = slice(0, _LABELS), slice(_LABELS, _LABELS + 2), slice(_LABELS + 2, None)
# So many words are convolved at once: what fits a processor's cache is quickest.
_WORDS_AT_ONCE = 2048
# What a gap gives to the window around itself: nothing beside it reaches above 0.
_CLOSED = np.float32(-1e30)
# As much as OpenBLAS multiplies in one thread (its interface/gemm.c). More it shares among threads that wait
# for each other's cores: with other processes at work, that takes several times as long.
_MULTIPLIED_AT_ONCE = 1 << 18
# Beyond so many links or words all texts are alike (`sizes_of`).
_MOST_COUNTED = 1 << 11


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
    # (7,): from which log-odds a stretch counts; None, as in older models: from any.
    clear: Floats | None = None

    @property
    def table_bits(self) -> int:
        """log2 of the rows of `table`."""
        return len(self.table).bit_length() - 1

    @property
    def pair_bits(self) -> int:
        """log2 of the rows of `pairs`."""
        return len(self.pairs).bit_length() - 1


@dataclass(frozen=True)
class Abroad:
    """What reads texts in other languages besides, and how these are told from English."""

    weights: Weights
    categories: NDArray[np.int64]  # what was labelled in them; of all else these weights know little
    table: NDArray[np.int8]  # (2**b,): how much n-grams, as in `Weights.table`, speak for such a text
    scale: float
    bias: float


# What has more words is long; each stretch begins in the middle of the one before.
_LONG = 90
# So much less, in log-odds, a stretch of a text says than the whole of one: there are many in a text. Chosen
# on dev; a model in the field was calibrated with it, so another number needs another model.
STRETCH_LESS = 0.25


class Pooled(NamedTuple):
    """What the words of n comments come to: to the logits, and what the hidden layer sees of them."""

    direct: Floats  # (n, 7)
    inner: Floats  # (n, 2 * h + d)
    links: Floats  # (n,): how many of the words are links
    foreign: Floats  # (n,): how much speaks for another language than English


class Reading(NamedTuple):
    """What the network makes of n comments; `words` may hold more texts after those n."""

    logits: Floats  # (n, 7)
    hidden: Floats  # (n, k)
    words: Read
    abroad: NDArray[np.int64]  # which of the comments the network for other languages read too


class Network:
    """Weights, and the memory of words that goes with them; `other` reads texts in other languages too."""

    def __init__(self, weights: Weights, abroad: Abroad | None = None) -> None:
        self.weights, self.abroad = weights, abroad
        self.other = None if abroad is None else Network(abroad.weights)
        self.windows = h = len(weights.window_bias)
        # So many numbers of each word go into the mean of all, whatever stands around it.
        self._gist = len(weights.hidden) - 2 * h
        ends = np.add.accumulate([h, h, h, self._gist, _LABELS + 1, 2, 1]).tolist()
        self._parts = [slice(first, end) for first, end in pairwise([0, *ends])]
        self._comes_to = _comes_to(weights, self._parts)
        gap = np.zeros((1, ends[-1]), np.float32)
        gap[:, :h] = _CLOSED
        self.vocabulary = Vocabulary(weights.table_bits, self._apart(gap), self._vectors)
        layers = (weights.hidden, weights.hidden_bias, weights.out, weights.bias)
        self._layers = tuple(part.astype(np.float64) for part in layers)
        self._clear = -np.inf if weights.clear is None else weights.clear
        self._links = hash_words([LINK, EMAIL], weights.table_bits).hashes
        # Looked up for every word, so as they are used; the last row is for a word before a gap.
        self._pairs = np.zeros((len(weights.pairs) + 1, _LABELS + 1), np.float32)
        np.multiply(weights.pairs, weights.pairs_scale, out=self._pairs[:-1, :_LABELS])
        by_links, by_length = sizes_of(np.arange(_MOST_COUNTED), np.arange(_MOST_COUNTED))
        self._by_links, self._by_length = weights.facts[by_links], weights.facts[by_length]

    def read(self, comments: Sequence[Mapping[str, Any]]) -> Reading:
        """Logits and hidden layer of some comments; each row depends on its own comment alone."""
        w = self.weights
        others = [about(comment) for comment in comments]
        texts = [body_of(comment) for comment in comments]
        for other in others:
            if other is not NOTHING:
                texts += filter(None, (other.name, other.addresses, other.topic))
        words = self.vocabulary.read(texts)
        body = words.part(0, len(comments)) if len(texts) > len(comments) else words
        pooled = self.pool(body)
        hidden, logits = self.judge(pooled)
        owners, parts = self.stretches(body)
        if len(owners):
            np.maximum.at(logits, owners, self.claims(parts))
        logits[:, 0] += self._spam_facts(others, words, pooled.links)
        logits = logits * w.slope + w.shift
        abroad = self._ask_abroad(logits, texts, pooled.foreign)
        return Reading(logits.astype(np.float32), hidden, words, abroad)

    def _ask_abroad(
        self, logits: NDArray[np.float64], texts: Sequence[str], foreign: Floats
    ) -> NDArray[np.int64]:
        """Which of n texts are in another language. Of what is labelled in such, their logits (n, 7) become
        the mean of both networks', so that nobody escapes one by some words that speak for the other."""
        if self.abroad is None or self.other is None:
            return np.zeros(0, np.int64)
        there = (foreign > -self.abroad.bias).nonzero()[0]
        if len(there):
            found = self.other.read([{"body": texts[i]} for i in there.tolist()]).logits
            both = np.ix_(there, self.abroad.categories)
            logits[both] = (logits[both] + found[:, self.abroad.categories]) / 2
        return there

    def judge(self, pooled: Pooled) -> tuple[Floats, NDArray[np.float64]]:
        """The hidden layer (n, k) and logits (n, 7) of texts or stretches, without facts and calibration.

        In double precision: then the result in single does not depend on how many rows are multiplied.
        """
        inwards, bias, outwards, out_bias = self._layers
        hidden = np.maximum(_multiplied(pooled.inner.astype(np.float64), inwards) + bias, 0)
        return hidden.astype(np.float32), _multiplied(hidden, outwards) + out_bias + pooled.direct

    def claims(self, stretches: Read) -> NDArray[np.float64]:
        """What stretches say for the texts they are of (m, 7): -inf, nothing, where they are not clear.

        There are many in a long text: the worst of many harmless ones would make it worse than a short text.
        """
        logits = self.judge(self.pool(stretches))[1]
        return np.where(logits >= self._clear, logits - STRETCH_LESS, -np.inf)

    def stretches(self, body: Read) -> tuple[NDArray[np.int64], Read]:
        """Of which text each of m stretches is, and the stretches: what is bad stays so among much else."""
        size = self.weights.stretch
        long = (body.ends - body.starts > (_LONG if size else np.inf)).nonzero()[0]
        if not len(long):
            return long, body._replace(starts=long, ends=long)
        firsts, ends = body.starts.take(long).tolist(), body.ends.take(long).tolist()
        found = [
            (text, first + start, first + stop)
            for text, first, end in zip(long.tolist(), firsts, ends, strict=True)
            for start, stop in stretch_places(end - first, size)
        ]
        owners, starts, ends = np.array(found, dtype=np.int64).reshape(-1, 3).T
        return owners, body._replace(starts=starts, ends=ends)

    def pool(self, body: Read) -> Pooled:
        """Convolve the words of each text, and add up what they come to."""
        h, d = self.windows, self._gist
        rows = np.empty((len(body.starts), 2 * h + d + _LABELS + 2), np.float32)
        for texts, ids in _side_by_side(body):
            convolved = self.convolved(body, ids)
            gist, direct = (part.take(ids[1:-1], axis=0) for part in body.vectors[3:5])
            direct += self.pairs(body, ids[1:])
            foreign = body.vectors[6].take(ids[1:-1], axis=0)
            sums = (np.add.reduce(part, axis=0) for part in (convolved, gist, direct, foreign))
            rows[texts] = np.concatenate([np.maximum.reduce(convolved, axis=0), *sums], axis=1)
        inner, direct = rows[:, : 2 * h + d], rows[:, 2 * h + d : -2]
        lengths = (body.ends - body.starts).astype(np.float32)[:, None]
        inner[:, h:] /= lengths
        # What speaks for another language is summed up like a logit.
        rows[:, -1] /= np.sqrt(lengths[:, 0])
        direct /= np.sqrt(lengths)
        return Pooled(direct, inner, rows[:, -2], rows[:, -1])

    def convolved(self, body: Read, ids: Ids) -> Floats:
        """The convolution around each word of a row of ids (m, ...) but the first and the last, which stand
        beside it: (m - 2, ..., h)."""
        own, before, after = body.vectors[:3]
        # Parts of their own, and no columns of one table: so all that follows runs through memory in one go.
        seen = own.take(ids[1:-1], axis=0)
        seen += before.take(ids[:-2], axis=0)
        seen += after.take(ids[2:], axis=0)
        return np.maximum(seen, 0, out=seen)

    def inward(self, body: Read) -> tuple[Floats, ...]:
        """What each word gives to the window after it, its own and the one before it (words, h)."""
        own, before, after = (part.take(body.ids, axis=0) for part in body.vectors[:3])
        return before, own - self.weights.window_bias, after

    def alone(self, body: Read) -> tuple[Floats, Floats]:
        """What each word adds to the logits (words, 7), and gives to the mean of all (words, d)."""
        gist, direct = (part.take(body.ids, axis=0) for part in body.vectors[3:5])
        return direct[:, :_LABELS], gist

    def pairs(self, body: Read, ids: Ids) -> Floats:
        """What the pair of each word with the next adds to the logits, of ids (m, ...): (m - 1, ..., 7 + 1).

        0 before a gap, and in the last column, which is that of links in a word's own.
        """
        columns = pair_columns(body.hashes.take(ids), body.steps.take(ids), self.weights.pair_bits)
        columns[ids[1:] == GAP] = len(self._pairs) - 1
        return self._pairs.take(columns, axis=0)

    def _vectors(self, hashed: HashedWords) -> tuple[Floats, ...]:
        """The vectors of n words: their rows summed over the root of their number.

        What each gives to the window around itself, and to those of the words after and before it (n, h);
        to the mean of all (n, d); to the logits, and whether it is a link (n, 7 + 1); to spam as a
        name and as an address (n, 2); and how much it speaks for another language (n, 1).
        In double precision: then rounding to single does not depend on which words are looked up together.
        """
        w = self.weights
        # Sums of whole numbers are exact in single precision too.
        grams = w.table.take(hashed.columns, axis=0).astype(np.float32)
        rows = np.add.reduceat(grams, hashed.starts, axis=0)
        rows += w.table.take(hashed.own, axis=0)
        vectors = rows * (w.table_scale / np.sqrt(hashed.counts + 1.0)[:, None])
        vectors[:, _DIRECT] += self._pairs.take(word_columns(hashed.hashes, w.pair_bits), axis=0)[:, :_LABELS]
        # The window's bias comes with the word in its middle: one addition for each word less.
        matrix, bias = self._comes_to
        found = (_multiplied(vectors, matrix) + bias).astype(np.float32)
        found[:, self._parts[4].stop - 1] = (hashed.hashes[:, None] == self._links).any(axis=1)
        if self.abroad is not None:
            found[:, -1] = _foreign(self.abroad, hashed)
        return self._apart(found)

    def _apart(self, vectors: Floats) -> tuple[Floats, ...]:
        return tuple(vectors[:, part] for part in self._parts)

    def _spam_facts(self, others: Sequence[About], words: Read, links: Floats) -> Floats:
        """What facts and author add to the logit of spam (n,)."""
        weights, n = self.weights.facts, len(others)
        added = self._by_links.take(links.astype(np.int64), mode="clip")
        added += self._by_length.take(words.ends[:n] - words.starts[:n], mode="clip")
        at = n
        for i, other in enumerate(others):
            if other is NOTHING:
                continue
            names = shared = 0
            if other.name:
                names = len(words.of(at))
                added[i] += _mean_root(words.vectors[5][words.of(at), 0])
                at += 1
            if other.addresses:
                added[i] += _mean_root(words.vectors[5][words.of(at), 1])
                at += 1
            if other.topic:
                shared = len(set(words.of(at).tolist()).intersection(words.of(i).tolist()))
                at += 1
            added[i] += weights[numbers_of(other, names, shared)].sum()
        return added


def _comes_to(weights: Weights, parts: Sequence[slice]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A matrix that makes all parts of a word's vector of its row of the table (9 + d), and what to add."""
    inwards, h = len(weights.window), len(weights.window_bias)
    matrix, bias = np.zeros((_LABELS + 2 + inwards, parts[-1].stop)), np.zeros(parts[-1].stop)
    own, before, after, gist, direct, author, _ = parts
    matrix[_INWARD, before] = weights.window[:, :h]
    matrix[_INWARD, own] = weights.window[:, h : 2 * h]
    matrix[_INWARD, after] = weights.window[:, 2 * h :]
    matrix[_INWARD, gist] = np.eye(inwards, gist.stop - gist.start)
    matrix[_DIRECT, direct] = np.eye(_LABELS, _LABELS + 1)
    matrix[_AUTHOR, author] = np.eye(2)
    bias[own] = weights.window_bias
    return matrix, bias


def _multiplied(rows: NDArray[np.float64], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """rows @ matrix, some rows at a time."""
    found = np.empty((len(rows), matrix.shape[1]))
    step = max(1, _MULTIPLIED_AT_ONCE // matrix.size)
    for first in range(0, len(rows), step):
        part = slice(first, first + step)
        np.matmul(rows[part], matrix, out=found[part])
    return found


def _foreign(abroad: Abroad, hashed: HashedWords) -> NDArray[np.float64]:
    """How much each of n words speaks for another language than English (n,)."""
    grams = abroad.table.take(hashed.columns).astype(np.int64)
    sums = np.add.reduceat(grams, hashed.starts) + abroad.table.take(hashed.own)
    return np.asarray(sums * (abroad.scale / np.sqrt(hashed.counts + 1.0)))


def stretch_places(length: int, size: int) -> list[tuple[int, int]]:
    """Where the stretches of `size` words of a text begin and end, in words; none where it is not long.

    >>> stretch_places(100, 60), stretch_places(90, 60)
    ([(0, 60), (30, 90), (60, 100)], [])
    """
    if not size or length <= _LONG:
        return []
    return [(at, min(at + size, length)) for at in range(0, length - size // 2, size // 2)]


def _mean_root(values: Floats) -> float:
    return float(values.sum() / np.sqrt(len(values)))


def _side_by_side(body: Read) -> Iterator[tuple[Ids | slice, Ids]]:
    """Some texts of about the same length, and the ids of their words: (words + 2, texts), a text in each
    column, with the word before it and the word after it.

    So each step of a sum runs over all of them at once. A shorter text is filled up with the gap after it,
    which adds nothing: only the longest stretches end before their text does.
    """
    starts, ends = body.starts, body.ends
    if len(starts) == 1:
        yield slice(None), body.ids[int(starts[0]) - 1 : int(ends[0]) + 1, None]
        return
    lengths = ends - starts
    order, first = np.argsort(-lengths, kind="stable"), 0
    while first < len(order):
        longest = int(lengths[order[first]])
        texts = order[first : first + max(1, _WORDS_AT_ONCE // longest)]
        rows = starts[texts] + np.arange(-1, longest + 1)[:, None]
        yield texts, body.ids.take(np.minimum(rows, ends[texts]))
        first += len(texts)


def pack(weights: Weights | Abroad) -> dict[str, Any]:
    """Weights as a plain dictionary, for a file."""
    values = {field.name: getattr(weights, field.name) for field in fields(weights)}
    return {name: pack(value) if isinstance(value, Weights) else value for name, value in values.items()}


def unpack(found: Mapping[str, Any], abroad: Mapping[str, Any] | None) -> Network:
    """The network of what `pack` made of its weights and of those for other languages.

    TypeError or KeyError if they are of another make.
    """
    if abroad is None:
        return Network(Weights(**found))
    return Network(Weights(**found), Abroad(**{**abroad, "weights": Weights(**abroad["weights"])}))
