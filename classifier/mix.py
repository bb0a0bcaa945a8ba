"""Reweight development comments to the mix a blog sees: thresholds chosen on a balanced set mislead."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.categories import CATEGORIES
from classifier.dataset import Rows
from classifier.thresholds import natural_weights, operating_points

# Assumed share of true comments. Toxicity is that of unselected talk-page comments (CAT), the rarer
# categories keep their proportions to it in the six-label set; spam is a blog behind a simple form.
PREVALENCE: Mapping[str, float] = {
    "spam": 0.2,
    "toxicity": 0.016,
    "severe_toxicity": 0.002,
    "obscene": 0.008,
    "threat": 0.001,
    "insult": 0.008,
    "identity_attack": 0.002,
}
# English comments near to blog traffic. Not: tweets sampled by keyword, and sets for evaluation only.
_NATURAL = ("wiki-context CAT", "jigsaw2018", "wiki-debias", "wiki fuzzed")
_SPAM = 0
_TOXICITY = 1


def choose_operating_points(rows: Rows, scores: NDArray[Any]) -> dict[str, Any]:
    """Operating points of every category from dev rows and their scores (n, 7)."""
    points = {}
    for k, category in enumerate(CATEGORIES):
        labels, weights = mixed_labels(rows, k)
        found = operating_points(scores[:, k], labels, weights)
        if found is not None:
            points[category] = {**found, "assumed_prevalence": PREVALENCE[category]}
    return points


def mixed_labels(rows: Rows, k: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Labels (n,) of category k and the weight (n,) of each row in the mix a blog sees, 0 outside it."""
    labels, strata = _presumed(rows, k)
    return labels, natural_weights(labels, PREVALENCE[CATEGORIES[k]], _equal_strata(labels, strata))


def _presumed(rows: Rows, k: int) -> tuple[NDArray[np.float64], NDArray[np.str_]]:
    """Labels of category k with the obvious filled in, and the stratum of each row.

    Nobody advertises in the toxicity sets, so their comments count as ham; and what is not toxic is not
    any kind of toxic. This serves choosing thresholds only, never training.
    """
    labels = rows.labels[:, k].copy()
    if k == _SPAM:
        blog = np.char.startswith(rows.sources, "blog")
        labels[~blog & np.isnan(labels) & ~np.char.startswith(rows.sources, "kaggle")] = 0.0
        return labels, np.where(blog, rows.sources, "toxicity sources")
    labels[np.isnan(labels) & (rows.labels[:, _TOXICITY] == 0)] = 0.0
    labels[~np.logical_or.reduce([np.char.startswith(rows.sources, name) for name in _NATURAL])] = np.nan
    return labels, rows.sources


def _equal_strata(labels: NDArray[np.float64], strata: NDArray[np.str_]) -> NDArray[np.float64]:
    """Weights (n,) that give each stratum with enough comments of a class the same say in that class."""
    weights = np.zeros(len(labels))
    for truth in (0.0, 1.0):
        for stratum in np.unique(strata):
            chosen = (labels == truth) & (strata == stratum)
            if chosen.any():
                # Below 50 comments a stratum counts in proportion, or each would count too much.
                weights[chosen] = 1 / max(chosen.sum(), 50)
    return weights
