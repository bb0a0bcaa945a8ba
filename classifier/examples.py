"""Labelled comments of a site, as arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.categories import CATEGORIES


@dataclass(frozen=True)
class Example:
    """A comment with the labels somebody gave (categories left out are unknown, not false).

    `weight`: how many comments it stands for. `at`: when it was labelled, unix seconds.
    """

    comment: Mapping[str, Any]
    labels: Mapping[str, bool]
    weight: float = 1.0
    at: float = 0.0


def label_matrix(examples: Sequence[Example]) -> NDArray[np.float64]:
    """Labels (n, 7) in CATEGORIES order: 1, 0, or NaN when unknown."""
    rows = [[example.labels.get(category) for category in CATEGORIES] for example in examples]
    return np.array(rows, dtype=np.float64).reshape(-1, len(CATEGORIES))


def weight_vector(examples: Sequence[Example]) -> NDArray[np.float64]:
    """Weights (n,)."""
    return np.array([example.weight for example in examples], dtype=np.float64)
