"""What a site's correction may weigh: hashed words and pairs, the author's words, and the hidden layer.

A sparse row (features,) for each comment. Words and pairs have length 1 by log counts, so that long comments
weigh no more than short ones; the hidden layer carries over to words that the site never used.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from classifier.facts import about
from classifier.hashing import pair_columns, word_columns
from classifier.network import Reading
from classifier.vocabulary import GAP, Read

WORD_BITS, AUTHOR_BITS = 17, 12
_AUTHOR_VALUE, HIDDEN_VALUE = 0.3, 0.1


def site_features(comments: Sequence[Mapping[str, Any]], reading: Reading) -> sparse.csr_matrix:
    """float32 (n, 2**WORD_BITS + 2**AUTHOR_BITS + k) of the n comments that were read."""
    body = reading.words.part(0, len(comments))
    rows, columns = occurrences(body)
    shape = (len(comments), 1 << WORD_BITS)
    counted = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=shape)
    counted.sum_duplicates()
    blocks = [unit_rows(counted), _author(comments, reading.words), reading.hidden * HIDDEN_VALUE]
    return sparse.hstack(blocks, format="csr", dtype=np.float32)


def occurrences(body: Read) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of which text (row) and in which column each word is, and then each pair of words."""
    text_of_word = np.cumsum(body.ids == GAP) - 1
    words = np.flatnonzero(body.ids != GAP)
    pairs = words[:-1][np.diff(words) == 1]
    of_words = word_columns(body.hashes[body.ids[words]], WORD_BITS)
    of_pairs = pair_columns(body.hashes[body.ids], body.steps[body.ids], WORD_BITS)[pairs]
    return text_of_word[np.concatenate([words, pairs])], np.concatenate([of_words, of_pairs])


def unit_rows(block: sparse.csr_matrix) -> sparse.csr_matrix:
    """Counts to 1 + ln(count), then each row to length 1; an empty row stays empty."""
    block.data = 1 + np.log(block.data)
    rows = np.repeat(np.arange(block.shape[0]), np.diff(block.indptr))
    squares = np.bincount(rows, weights=np.square(block.data, dtype=np.float64), minlength=block.shape[0])
    block.data = (block.data / np.sqrt(squares)[rows]).astype(np.float32)
    return block


def _author(comments: Sequence[Mapping[str, Any]], words: Read) -> sparse.csr_matrix:
    """The words of names and addresses; a name and an address that share a word share its column."""
    rows: list[int] = []
    columns: list[NDArray[np.int64]] = []
    at = len(comments)
    for row, comment in enumerate(comments):
        context = about(comment)
        for text in (context.name, context.addresses):
            if text:
                found = np.unique(word_columns(words.hashes[words.of(at)], AUTHOR_BITS))
                rows += [row] * len(found)
                columns.append(found)
                at += 1
        at += bool(context.topic)
    block = sparse.csr_matrix(
        (
            np.full(len(rows), _AUTHOR_VALUE, np.float32),
            (rows, np.concatenate(columns) if columns else np.zeros(0, np.int64)),
        ),
        shape=(len(comments), 1 << AUTHOR_BITS),
    )
    block.sum_duplicates()
    return block
