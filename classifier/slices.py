"""Parts of labelled comments that are worth measuring apart: languages, kinds of comment, disguises."""

import random
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.categories import CATEGORIES
from classifier.dataset import Rows
from classifier.facts import body_of
from classifier.model import Classifier
from classifier.perturbation import DISGUISES, disguised

Chosen = NDArray[np.bool_]
_SHORT_WORDS, _LONG_WORDS = 6, 150
# Enough to see a few percent, and quick.
_MOST_DISGUISED = 400
_PADDING = 3


def slices(rows: Rows) -> Iterator[tuple[str, Chosen]]:
    """(name, rows (n,)) of each slice that has any."""
    bodies = [body_of(comment) for comment in rows.comments]
    lengths = np.array([len(body.split()) for body in bodies])
    kinds = {
        "kind: very short": lengths < _SHORT_WORDS,
        "kind: long": lengths > _LONG_WORDS,
        "kind: with a link": np.array(["http" in body or "www." in body for body in bodies], dtype=np.bool_),
        "kind: heated (! or capitals)": np.array([_is_heated(body) for body in bodies], dtype=np.bool_),
    }
    for source in np.unique(rows.sources):
        yield str(source), rows.sources == source
    for language in np.unique(rows.languages):
        yield f"language: {language}", rows.languages == language
    yield from ((name, chosen) for name, chosen in kinds.items() if chosen.any())


def recall_kept(
    classifier: Classifier, rows: Rows, scores: NDArray[Any], category: str, threshold: float, seed: int = 0
) -> Mapping[str, float]:
    """By disguise, the share of the true English comments found at a threshold that is found in disguise."""
    k = CATEGORIES.index(category)
    found = np.flatnonzero((rows.labels[:, k] == 1) & (scores[:, k] >= threshold) & (rows.languages == "en"))
    found = np.random.default_rng(seed).permutation(found)[:_MOST_DISGUISED]
    if not len(found):
        return {}
    ham = np.flatnonzero((rows.labels[:, k] == 0) & (rows.languages == "en"))
    kept = {}
    for name in [*DISGUISES, "padded with other comments"]:
        draw = random.Random(seed)  # noqa: S311 - no secret
        texts = [_changed(rows, i, name, ham, draw) for i in found.tolist()]
        changed = [{**rows.comments[i], "body": text} for i, text in zip(found.tolist(), texts, strict=True)]
        kept[name] = float((classifier.score(changed)[:, k] >= threshold).mean())
    return kept


def _changed(rows: Rows, i: int, name: str, ham: NDArray[np.int64], draw: random.Random) -> str:
    body = body_of(rows.comments[i])
    if name in DISGUISES:
        return disguised(body, draw, DISGUISES[name])
    others = [body_of(rows.comments[draw.choice(ham)]) for _ in range(_PADDING)] if len(ham) else []
    return " ".join([*others, body])


def _is_heated(body: str) -> bool:
    words = [word for word in body.split() if len(word) > 2 and word.isalpha()]
    return "!!" in body or sum(word.isupper() for word in words) > max(2, len(words) // 4)
