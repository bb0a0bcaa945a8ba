"""What an encoder knows of words, as a table to begin with. Needs PyTorch: `make train` installs it."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="no PyTorch (make train installs it): word vectors are not tested")

import torch
from small_encoder import small_encoder

from classifier import word_vectors
from classifier.encoders import ENCODERS
from classifier.hashing import hash_words
from classifier.word_vectors import first_table

WORDS = ["", "casino", "bonus", "poker", "knitting", "yarn", "wool", "pattern", "once"]
SEEN = np.array([0, 9, 5, 3, 90, 2, 2, 2, 1])


@pytest.fixture(autouse=True)
def an_encoder(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """An encoder of one layer; gives what it was asked to read."""
    read: list[list[str]] = []

    def load(encoder: object) -> object:
        torch.manual_seed(0)
        network, encode, padding = small_encoder(encoder)

        def noted(texts: list[str]) -> list[list[int]]:
            read.append(list(texts))
            return encode(texts)

        return network, noted, padding

    monkeypatch.setattr(word_vectors, "load_encoder", load)
    return read


def table(seed: int = 0) -> np.ndarray:
    return first_table(WORDS, SEEN, ENCODERS["small"], (12, 4), seed, lambda _: None)


def sums(table: np.ndarray, words: list[str]) -> np.ndarray:
    """As `network` adds up the rows of words."""
    hashed = hash_words(words, 12)
    rows = np.add.reduceat(table[hashed.columns], hashed.starts) + table[hashed.own]
    return np.asarray(rows / np.sqrt(hashed.counts + 1)[:, None])


def test_words_seen_more_than_once_are_read_the_most_frequent_first(an_encoder: list[list[str]]) -> None:
    assert table().shape == (1 << 12, 4)
    assert an_encoder == [["knitting", "casino", "bonus", "poker", "yarn", "wool", "pattern"]]


def test_the_rows_of_a_word_sum_up_to_what_the_encoder_made_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    aims = np.random.default_rng(1).normal(scale=0.1, size=(3, 4)).astype(np.float32)
    monkeypatch.setattr(word_vectors, "_ROUNDS", 200)
    words = WORDS[1:4]
    found = sums(word_vectors._fitted(words, aims, np.ones(3), 12, seed=0), words)
    assert np.abs(found - aims).max() < 0.01


def test_words_that_the_encoder_takes_for_the_same_begin_the_same() -> None:
    vectors = np.random.default_rng(0).normal(size=(6, 16)).astype(np.float32)
    vectors[1] = vectors[0] * 3
    found = word_vectors._directions(vectors, np.full(6, 1 / 6), 4)
    apart = np.linalg.norm(found[:, None] - found[None], axis=2)
    assert found.shape == (6, 4)
    assert apart[0, 1] < 0.5 * np.median(apart[np.triu_indices(6, 1)])


def test_the_same_words_and_seed_give_the_same_table() -> None:
    assert np.array_equal(table(), table())
    assert not np.array_equal(table(), table(seed=1))
