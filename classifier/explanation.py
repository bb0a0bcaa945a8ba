"""Which words moved a score, and by how much."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.alignment import align
from classifier.categories import CATEGORIES
from classifier.facts import text_of
from classifier.features import CommentFeatures
from classifier.hashing import Grams, Joined


@dataclass(frozen=True)
class Span:
    """Characters start..end of the original body added `weight` to the logit of a category."""

    start: int
    end: int
    category: str
    weight: float


def explain(
    features: CommentFeatures, coef: NDArray[np.float32], comments: Sequence[Mapping[str, Any]], limit: int
) -> list[list[Span]]:
    """The strongest spans of each comment, strongest first; one span per word and category.

    Exact for a linear model: the contribution coef * value of each word, pair and n-gram is shared equally
    among the characters it covers, and a word's weight is the sum over its characters. So all weights of a
    category together are the logit without the intercept and the facts.
    """
    return [_explain_one(features, coef, text_of(comment, "body"), limit) for comment in comments]


def _explain_one(features: CommentFeatures, coef: NDArray[np.float32], body: str, limit: int) -> list[Span]:
    aligned = align(body)
    joined = Joined([aligned.text])
    by_words, by_characters = features.text_grams(joined)
    shares = _shares(by_words, coef, len(joined.codes))
    shares += _shares(by_characters, coef[1 << features.word_bits :], len(joined.codes))
    sums: dict[tuple[int, int], NDArray[np.float64]] = defaultdict(lambda: np.zeros(coef.shape[1]))
    for (start, end), (share_start, share_end) in zip(_words(joined), _owned(joined), strict=True):
        # One space pads the text in front, so position p there is p - 1 here.
        origin = min(aligned.starts[start - 1 : end - 1]), max(aligned.ends[start - 1 : end - 1])
        sums[origin] += shares[share_start:share_end].sum(axis=0)
    spans = [
        Span(start, end, CATEGORIES[k], float(weights[k]))
        for (start, end), weights in sums.items()
        for k in np.flatnonzero(weights)
    ]
    return sorted(spans, key=lambda span: (-abs(span.weight), span.start, span.end, span.category))[:limit]


def _words(joined: Joined) -> list[tuple[int, int]]:
    starts, ends = joined.word_bounds()
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def _owned(joined: Joined) -> list[tuple[int, int]]:
    """Each word owns itself and the space after it; the first also the space in front of the text."""
    starts, ends = joined.word_bounds()
    return [(start if i else 0, end + 1) for i, (start, end) in enumerate(zip(starts, ends, strict=True))]


def _shares(grams: Grams, coef: NDArray[np.float32], length: int) -> NDArray[np.float64]:
    """The contribution of each character of the text (length, categories)."""
    if not len(grams.columns):
        return np.zeros((length, coef.shape[1]))
    _, inverse, counts = np.unique(grams.columns, return_inverse=True, return_counts=True)
    values = 1 + np.log(counts)
    values /= np.sqrt(np.square(values).sum())
    each = coef[grams.columns] * (values / counts)[inverse][:, None] / (grams.ends - grams.starts)[:, None]
    change = np.zeros((length + 1, coef.shape[1]))
    np.add.at(change, grams.starts, each)
    np.add.at(change, grams.ends, -each)
    return np.cumsum(change, axis=0)[:-1]
