"""Texts that nobody labelled, for a teacher to say what it thinks of: made of the comments to train on.

A small network learns far more of a large one from ten times as many texts than there are labels (Tang et al.
2019, "Distilling task-specific knowledge from BERT into simple neural networks"): from pieces of a comment,
which part of it it was that counted; from the same text about other people, that it did not matter; from two
pieces beside each other and from words out of place, what a word does in any company.
"""

import random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.categories import CATEGORIES
from classifier.dataset import Rows
from classifier.perturbation import other_terms

# A piece for so many words of a comment, and at least and at most so many pieces of it.
_WORDS_FOR_EACH, _FEWEST, _MOST = 2, 2, 32
_SHORTEST, _LONGEST = 3, 36
# How a piece is changed, and how often: the rest stays as it is.
_OTHER_TERMS, _JOINED, _MIXED = 0.2, 0.25, 0.25
_WORDS_MIXED = 0.2
_WEIGHT = 0.5
# In other languages fewer: a teacher that studied a few thousand comments is less sure of a piece.
_OF_LANGUAGES = 2


def excerpts(rows: Rows, seed: int) -> tuple[Rows, NDArray[np.int64]]:
    """Pieces of the discussions, those in English first, and from which row each was taken (n,).

    They have no labels (NaN). Of what is spam a piece says too little.
    """
    draw = random.Random(seed)  # noqa: S311 - no secret
    discussions = ~np.char.startswith(rows.sources, "blog") & ~np.char.startswith(rows.sources, "davidson")
    chosen = np.flatnonzero(discussions & (rows.languages == "en")).tolist()
    words = {i: str(rows.comments[i]["body"]).split() for i in chosen}
    found: list[dict[str, Any]] = []
    owners: list[int] = []
    for i in chosen:
        for _ in range(min(_MOST, max(_FEWEST, len(words[i]) // _WORDS_FOR_EACH))):
            found.append({"body": _changed(_piece(words[i], draw), words, chosen, draw)})
            owners.append(i)
        whole = str(rows.comments[i]["body"])
        other = other_terms(whole, draw)
        if other != whole:
            found.append({"body": other})
            owners.append(i)
    for language in np.unique(rows.languages[discussions & (rows.languages != "en")]):
        theirs = np.flatnonzero(discussions & (rows.languages == language)).tolist()
        words = {i: str(rows.comments[i]["body"]).split() for i in theirs}
        for i in theirs * _OF_LANGUAGES:
            joined = _piece(words[draw.choice(theirs)], draw) if draw.random() < _JOINED else []
            found.append({"body": " ".join(_piece(words[i], draw) + joined)})
            owners.append(i)
    taken = np.array(owners, dtype=np.int64)
    weights = rows.label_weights[taken] * _WEIGHT
    weights[:, 0] = 0.0
    labels = np.full((len(found), len(CATEGORIES)), np.nan)
    return Rows(found, labels, weights, rows.sources[taken], rows.languages[taken], rows.licences), taken


def _piece(words: list[str], draw: random.Random) -> list[str]:
    if not words:
        return []
    # As often shorter than ten words as longer: lengths are spread evenly in their logarithm.
    length = min(len(words), round(_SHORTEST * (_LONGEST / _SHORTEST) ** draw.random()))
    start = draw.randrange(len(words) - length + 1)
    return words[start : start + length]


def _changed(piece: list[str], words: dict[int, list[str]], chosen: list[int], draw: random.Random) -> str:
    lot = draw.random()
    if lot < _OTHER_TERMS:
        return other_terms(" ".join(piece), draw)
    if lot < _OTHER_TERMS + _JOINED:
        return " ".join(piece + _piece(words[draw.choice(chosen)], draw))
    if lot < _OTHER_TERMS + _JOINED + _MIXED:
        others = words[draw.choice(chosen)] or [""]
        return " ".join(draw.choice(others) if draw.random() < _WORDS_MIXED else word for word in piece)
    return " ".join(piece)
