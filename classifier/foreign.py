"""Learn to tell texts in other languages from English ones, by the n-grams of their words.

py3langid, which the sweeper asks for a text's language, takes 60 us for 350 characters, as long as scoring.
The n-grams are looked up anyway.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from classifier.dataset import Rows
from classifier.facts import body_of
from classifier.hashing import hash_words
from classifier.text import pieces, tokens
from classifier.vocabulary import NOTHING

# Of a long text its first words, and of English not all: there is enough of it.
_MOST_WORDS, _MOST_ENGLISH = 60, 120_000
_STRENGTH, _STEPS = 1e-6, 60
# Its ham is Polish, and nothing says which of its rows are.
_UNSURE = "blog_lrem_weak"


def fit_foreign(rows: Rows, bits: int, seed: int) -> tuple[NDArray[np.int8], float, float]:
    """How much each n-gram speaks for another language, as whole numbers (2**bits,), their scale, and what to
    add: logistic regression on each word's mean over the root, as `network` sums them up."""
    foreign = np.flatnonzero((rows.languages != "en") & ~np.char.startswith(rows.sources, "blog"))
    english = np.flatnonzero((rows.languages == "en") & (rows.sources != _UNSURE))
    english = np.random.default_rng(seed).permutation(english)[:_MOST_ENGLISH]
    texts = [body_of(rows.comments[i]) for i in np.concatenate([foreign, english]).tolist()]
    signs = np.concatenate([np.full(len(foreign), -1.0), np.ones(len(english))])
    found = _line(*_sums(texts, bits), signs)
    scale = max(float(np.abs(found[:-1]).max()), 1e-9) / 127
    return np.rint(found[:-1] / scale).astype(np.int8), scale, float(found[-1])


def _sums(texts: Sequence[str], bits: int) -> tuple[csr_matrix, csr_matrix]:
    """What sums words over texts (n, words), and n-grams over words (words, 2**bits)."""
    ids: dict[str, int] = {}
    bodies = [[ids.setdefault(word, len(ids)) for word in _words(text)] for text in texts]
    lengths = np.array([len(body) for body in bodies])
    at = np.repeat(np.arange(len(bodies)), lengths)
    over_texts = csr_matrix((1 / np.sqrt(lengths[at]), (at, np.concatenate(bodies))), (len(texts), len(ids)))
    hashed = hash_words(list(ids), bits)
    words = np.concatenate([np.arange(len(ids)).repeat(hashed.counts), np.arange(len(ids))])
    columns = np.concatenate([hashed.columns, hashed.own])
    over_words = csr_matrix((1 / np.sqrt(hashed.counts[words] + 1), (words, columns)), (len(ids), 1 << bits))
    return over_texts.astype(np.float32), over_words.astype(np.float32)


def _words(text: str) -> list[str]:
    return [word for piece in pieces(text) for word in tokens(piece)][:_MOST_WORDS] or [NOTHING]


def _line(over_texts: csr_matrix, over_words: csr_matrix, signs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of n-grams and an intercept (2**bits + 1,) that tell texts of sign -1 from those of 1."""
    back_texts, back_words = over_texts.T.tocsr(), over_words.T.tocsr()

    def loss(line: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = line[:-1]
        wrong = signs * (over_texts @ (over_words @ weights.astype(np.float32)) + line[-1])
        pull = signs / (1 + np.exp(-wrong)) / len(signs)
        slopes = back_words @ (back_texts @ pull.astype(np.float32)) + _STRENGTH * weights
        value = np.logaddexp(0, wrong).mean() + _STRENGTH / 2 * weights @ weights
        return float(value), np.append(slopes, pull.sum())

    start = np.zeros(over_words.shape[1] + 1)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS})
    return np.asarray(found.x)
