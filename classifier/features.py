"""Comments to a sparse matrix: words, word pairs, character n-grams and facts, hashed."""

# ruff: noqa: N803 - X is what scikit-learn calls a feature matrix
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin

from classifier.facts import facts_of, text_of
from classifier.hashing import Grams, Joined, characters, words
from classifier.text import normalise

_FACT_SALT = 64


class CommentFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Hashed features of comments; learns nothing, so it cannot differ between training and serving.

    Three blocks side by side: words and pairs (2**word_bits columns, each row of length 1 by log counts),
    character n-grams (2**character_bits, the same) and facts (2**fact_bits, `fact_value` each).
    """

    def __init__(
        self,
        *,
        word_bits: int = 17,
        character_bits: int = 17,
        fact_bits: int = 13,
        shortest: int = 2,
        longest: int = 5,
        fact_value: float = 0.3,
    ) -> None:
        self.word_bits = word_bits
        self.character_bits = character_bits
        self.fact_bits = fact_bits
        self.shortest = shortest
        self.longest = longest
        self.fact_value = fact_value

    @property
    def text_columns(self) -> int:
        """The number of leading columns that come from the body's words alone."""
        return (1 << self.word_bits) + (1 << self.character_bits)

    @property
    def columns(self) -> int:
        """The number of all columns."""
        return self.text_columns + (1 << self.fact_bits)

    def fit(self, X: Sequence[Mapping[str, Any]], y: object = None) -> Self:
        """Learn nothing."""
        return self

    def transform(self, X: Sequence[Mapping[str, Any]]) -> sparse.csr_matrix:
        """Comments to float32 (n, columns). A row depends on its own comment only."""
        bodies = [normalise(text_of(comment, "body")) for comment in X]
        joined = Joined(bodies)
        facts = Joined([" ".join(facts_of(comment, body)) for comment, body in zip(X, bodies, strict=True)])
        by_words, by_characters = self.text_grams(joined)
        blocks = [
            _unit_rows(_counted(by_words, len(X), 1 << self.word_bits)),
            _unit_rows(_counted(by_characters, len(X), 1 << self.character_bits)),
            self._fact_block(facts, len(X)),
        ]
        return sparse.hstack(blocks, format="csr", dtype=np.float32)

    def text_grams(self, joined: Joined) -> tuple[Grams, Grams]:
        """The occurrences behind the two text blocks, columns counted within each block."""
        by_characters = characters(joined, self.character_bits, self.shortest, self.longest)
        return words(joined, self.word_bits), by_characters

    def _fact_block(self, facts: Joined, rows: int) -> sparse.csr_matrix:
        grams = facts.grams(*facts.word_bounds(), bits=self.fact_bits, salt=_FACT_SALT)
        block = _counted(grams, rows, 1 << self.fact_bits)
        block.data = np.full_like(block.data, self.fact_value)
        return block

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.dict = True
        tags.requires_fit = False
        tags.no_validation = True
        return tags


def _counted(grams: Grams, rows: int, columns: int) -> sparse.csr_matrix:
    ones = np.ones(len(grams.rows), dtype=np.float32)
    block = sparse.csr_matrix((ones, (grams.rows, grams.columns)), shape=(rows, columns))
    block.sum_duplicates()
    return block


def _unit_rows(block: sparse.csr_matrix) -> sparse.csr_matrix:
    """Counts to 1 + ln(count), then each row to length 1; an empty row stays empty."""
    block.data = 1 + np.log(block.data)
    rows = np.repeat(np.arange(block.shape[0]), np.diff(block.indptr))
    lengths = np.sqrt(
        np.bincount(rows, weights=np.square(block.data, dtype=np.float64), minlength=block.shape[0])
    )
    block.data = (block.data / lengths[rows]).astype(np.float32)
    return block
