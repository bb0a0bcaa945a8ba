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
from classifier.perturbation import disguised, other_terms
from classifier.text import EMAIL, LINK, pieces, tokens
from classifier.vocabulary import NOTHING

Ids = NDArray[np.int64]
_CHUNK = 8192


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


def read_corpus(rows: Rows, seed: int) -> Corpus:
    """The words of each comment, of a disguised copy (English only) and, if it is labelled, of one about
    other people."""
    draw, ids = random.Random(seed), _Ids()  # noqa: S311 - no secret
    corpus = Corpus(ids.words, [], [], [], [], [], [])
    for comment, language, labelled in zip(rows.comments, rows.languages, is_labelled(rows), strict=True):
        text = body_of(comment)
        body = ids.of(text)
        other = other_terms(text, draw) if labelled else text
        corpus.bodies.append(body)
        corpus.disguised.append(ids.of(disguised(text, draw)) if language == "en" else None)
        corpus.others.append(ids.of(other) if other != text else None)
        context = about(comment)
        name, topic = ids.of(context.name), ids.of(context.topic)
        links = sum(body.count(known) for known in (ids.known[LINK], ids.known[EMAIL]))
        sizes = [int(part[0]) for part in sizes_of(np.array([links]), np.array([len(body)]))]
        numbers = numbers_of(context, len(name) if context.name else 0, len(set(topic).intersection(body)))
        corpus.facts.append([*sizes, *numbers])
        corpus.names.append(name if context.name else [])
        corpus.addresses.append(ids.of(context.addresses) if context.addresses else [])
    return corpus


class _Ids:
    def __init__(self) -> None:
        self.words = [""]
        self.known: dict[str, int] = {}
        for word in (NOTHING, LINK, EMAIL):
            self._id(word)

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
        facts: Sequence[list[int]],
        names: Sequence[list[int]],
        addresses: Sequence[list[int]],
    ) -> dict[str, torch.Tensor]:
        """What `Student` takes."""
        ids, there = _padded(bodies)
        flat = ids.ravel()
        pairs = np.append(pair_columns(self._hashes[flat], self._steps[flat], self._bits), 0)
        arrays: dict[str, NDArray[Any]] = {
            "there": there,
            "own": self._own[ids],
            "pairs": pairs.reshape(ids.shape)[:, :-1],
        }
        arrays["facts"], arrays["facts_there"] = _padded(facts)
        names_ids, arrays["names_there"] = _padded(names)
        addresses_ids, arrays["addresses_there"] = _padded(addresses)
        parts = {"ids": ids, "names": names_ids, "addresses": addresses_ids}
        distinct, places = np.unique(
            np.concatenate([part.ravel() for part in parts.values()]), return_inverse=True
        )
        ends = np.cumsum([part.size for part in parts.values()])
        for (name, part), end in zip(parts.items(), ends, strict=True):
            arrays[name] = places[end - part.size : end].reshape(part.shape)
        counts = self._counts[distinct]
        starts = np.cumsum(counts) - counts
        within = np.arange(counts.sum()) + np.repeat(self._starts[distinct] - starts, counts)
        arrays["columns"], arrays["starts"] = self._columns[within], starts
        arrays["scale"] = (1 / np.sqrt(counts)).astype(np.float32)[:, None]
        return {name: torch.from_numpy(array) for name, array in arrays.items()}


def _padded(lists: Sequence[list[int]]) -> tuple[Ids, NDArray[np.float32]]:
    width = max([1, *map(len, lists)])
    ids, there = np.zeros((len(lists), width), np.int64), np.zeros((len(lists), width), np.float32)
    for row, values in enumerate(lists):
        ids[row, : len(values)] = values
        there[row, : len(values)] = 1
    return ids, there
