"""Training comments as word ids, and batches of them as tensors. Needs PyTorch (the `train` extra)."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from classifier.dataset import Rows, is_labelled
from classifier.facts import about, body_of, numbers_of, sizes_of
from classifier.hashing import hash_words, pair_columns, word_columns
from classifier.perturbation import disguised, mistyped, other_terms
from classifier.text import EMAIL, LINK, pieces, tokens
from classifier.vocabulary import NOTHING

Ids = NDArray[np.int64]
_CHUNK, _GROUP = 8192, 48
# The first words of every corpus: no word, and those that stand for something else.
KNOWN = ("", NOTHING, LINK, EMAIL)


@dataclass
class Corpus:
    """Comments as word ids; `words[0]` is no word."""

    words: list[str]
    bodies: list[list[int]]
    disguised: list[list[int] | None]
    others: list[list[int] | None]
    facts: list[list[int]]
    names: list[list[int]]
    addresses: list[list[int]]


def read_corpus(rows: Rows, seed: int, mistyped_share: float = 0.0) -> Corpus:
    """The words of each comment and, if it is English, of a disguised copy (this share of them has slips of
    the keys alone) and, if it is labelled, of one about other people."""
    draw, ids = random.Random(seed), _Ids()  # noqa: S311 - no secret
    corpus = Corpus(ids.words, [], [], [], [], [], [])
    for comment, language, labelled in zip(rows.comments, rows.languages, is_labelled(rows), strict=True):
        text = body_of(comment)
        body = ids.of(text)
        other = other_terms(text, draw) if labelled and language == "en" else text
        corpus.bodies.append(body)
        disguise = mistyped if draw.random() < mistyped_share else None
        corpus.disguised.append(ids.of(disguised(text, draw, disguise)) if language == "en" else None)
        corpus.others.append(ids.of(other) if other != text else None)
        context = about(comment)
        name, topic = ids.of(context.name), ids.of(context.topic)
        numbers = numbers_of(context, len(name) if context.name else 0, len(set(topic).intersection(body)))
        corpus.facts.append([*sizes_in(body), *numbers])
        corpus.names.append(name if context.name else [])
        corpus.addresses.append(ids.of(context.addresses) if context.addresses else [])
    return corpus


def sizes_in(body: list[int]) -> list[int]:
    """The numbers of how many links and how many words a text has."""
    links = sum(body.count(KNOWN.index(word)) for word in (LINK, EMAIL))
    return [int(part[0]) for part in sizes_of(np.array([links]), np.array([len(body)]))]


class _Ids:
    def __init__(self) -> None:
        self.words = [*KNOWN]
        self.known = {word: i for i, word in enumerate(KNOWN) if word}

    def of(self, text: str) -> list[int]:
        return [self._id(word) for piece in pieces(text) for word in tokens(piece)] or [self.known[NOTHING]]

    def _id(self, word: str) -> int:
        known = self.known.get(word)
        if known is None:
            known = self.known[word] = len(self.words)
            self.words.append(word)
        return known


class Batches:
    """Makes tensors of comments: rows padded to one length, and the hashed columns of the words in them."""

    def __init__(self, words: Sequence[str], table_bits: int, pair_bits: int) -> None:
        columns, counts = [np.zeros(1, np.int64)], [np.ones(1, np.int64)]
        hashes, steps = [np.zeros(1, np.uint64)], [np.ones(1, np.uint64)]
        for i in range(1, len(words), _CHUNK):
            hashed = hash_words(words[i : i + _CHUNK], table_bits)
            columns.append(np.insert(hashed.columns, hashed.starts, hashed.own))
            counts.append(hashed.counts + 1)
            hashes.append(hashed.hashes)
            steps.append(hashed.steps)
        self._columns, self._counts = np.concatenate(columns), np.concatenate(counts)
        self._starts = np.cumsum(self._counts) - self._counts
        self._hashes, self._steps = np.concatenate(hashes), np.concatenate(steps)
        self._own = word_columns(self._hashes, pair_bits)
        self._bits = pair_bits

    def of(
        self,
        bodies: Sequence[list[int]],
        stretches: Sequence[tuple[int, list[int]]],
        facts: Sequence[list[int]],
        names: Sequence[list[int]],
        addresses: Sequence[list[int]],
    ) -> dict[str, Any]:
        """What `Student` takes; a stretch is (which text it is of, its words).

        Texts of like length lie in one group: else all would be filled up to the longest of the batch.
        """
        arrays: dict[str, NDArray[Any]] = {"owners": np.array([i for i, _ in stretches], np.int64)}
        arrays["facts"], arrays["facts_there"] = _padded(facts)
        texts = [*bodies, *(words for _, words in stretches)]
        order = np.argsort([len(text) for text in texts], kind="stable")
        arrays["places"] = np.argsort(order)
        cuts = range(_GROUP, len(texts), _GROUP)
        padded = [_padded([texts[i] for i in group.tolist()]) for group in np.split(order, cuts)]
        names_ids, arrays["names_there"] = _padded(names)
        addresses_ids, arrays["addresses_there"] = _padded(addresses)
        parts = [names_ids, addresses_ids, *(ids for ids, _ in padded)]
        distinct, places = np.unique(np.concatenate([part.ravel() for part in parts]), return_inverse=True)
        ends = np.cumsum([part.size for part in parts])[:-1]
        arrays["names"], arrays["addresses"], *placed = (
            found.reshape(part.shape) for found, part in zip(np.split(places, ends), parts, strict=True)
        )
        counts = self._counts[distinct]
        starts = np.cumsum(counts) - counts
        within = np.arange(counts.sum()) + np.repeat(self._starts[distinct] - starts, counts)
        arrays["columns"], arrays["starts"] = self._columns[within], starts
        arrays["scale"] = (1 / np.sqrt(counts)).astype(np.float32)[:, None]
        groups = [self._words(ids, at, there) for (ids, there), at in zip(padded, placed, strict=True)]
        return {"groups": groups, **{name: torch.from_numpy(array) for name, array in arrays.items()}}

    def _words(self, ids: Ids, placed: Ids, there: NDArray[np.float32]) -> dict[str, torch.Tensor]:
        """Of each word its place among the vectors, its own column and that of it and the next."""
        flat = ids.ravel()
        pairs = np.zeros(len(flat), np.int64)
        pairs[:-1] = pair_columns(self._hashes[flat], self._steps[flat], self._bits)
        arrays = {
            "ids": placed,
            "there": there,
            "own": self._own[ids],
            "pairs": pairs.reshape(ids.shape)[:, :-1],
        }
        return {name: torch.from_numpy(array) for name, array in arrays.items()}


def _padded(lists: Sequence[list[int]]) -> tuple[Ids, NDArray[np.float32]]:
    width = max([1, *map(len, lists)])
    ids, there = np.zeros((len(lists), width), np.int64), np.zeros((len(lists), width), np.float32)
    for row, values in enumerate(lists):
        ids[row, : len(values)] = values
        there[row, : len(values)] = 1
    return ids, there
