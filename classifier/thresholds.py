"""Operating points: which score is enough to reject without a person, and which to ask one.

"Most recall at precision >= p", as in revscoring's threshold optimisation, on weighted comments so that the
mix can be that of a blog and not that of a data set.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

REJECT_PRECISION = 0.98
APPROVED_FINE = 0.99
# Rare categories leave 99 % fine with no threshold at all; still, a person should see most of what there is.
HOLD_RECALL = 0.6
MOST_FALSE_ALARMS = 0.005
# People can look at only so much: beyond this share of the fine comments, let some of the rest through.
MOST_FINE_HELD = 0.05
# With fewer true comments above it, a threshold rests on luck.
FEWEST_TRUE = 10


class Curve(NamedTuple):
    """Weighted counts at or above each distinct score, highest score first; `hits` counts without weights."""

    thresholds: NDArray[np.float64]
    true: NDArray[np.float64]
    false: NDArray[np.float64]
    hits: NDArray[np.float64]


def operating_points(
    scores: Array, labels: Array, weights: Array | None = None, *, reject_precision: float = REJECT_PRECISION
) -> dict[str, Any] | None:
    """The reject and hold thresholds of one category, with their measured precision and recall.

    scores (n,) in 0..1; labels (n,) of 0, 1, or NaN for unknown; weights (n,). A comment at or above a
    threshold is meant. Reject: the most recall at precision >= `reject_precision` with at most 0.5 % false
    alarms; its threshold is None when none qualifies. Hold: the highest threshold below which at least 99 %
    are fine and above which lies at least 60 % of what is to be found, unless that would hold more than 5 %
    of the fine ones: then the lowest that does not (`fine_below` tells). Never above reject. None without
    both true and false labels.
    """
    known = ~np.isnan(labels)
    mass = np.ones(len(labels)) if weights is None else np.asarray(weights, dtype=np.float64)
    curve = _curve(np.asarray(scores, dtype=np.float64)[known], labels[known], mass[known])
    if not len(curve.thresholds) or curve.true[-1] <= 0 or curve.false[-1] <= 0:
        return None
    reject = _reject(curve, reject_precision)
    hold = _hold(curve)
    if reject is not None:
        hold = max(hold, reject)
    return {
        "reject": {**_measured(curve, reject), "target_precision": reject_precision},
        "hold": {**_measured(curve, hold), "target_fine_below": APPROVED_FINE, "least_recall": HOLD_RECALL},
    }


def natural_weights(labels: Array, prevalence: float, weights: Array | None = None) -> NDArray[np.float64]:
    """Weights (n,) summing to 1 with which true labels make up `prevalence`; 0 where the label is unknown.

    >>> natural_weights(np.array([1.0, 0.0, 0.0, np.nan]), 0.02).tolist()
    [0.02, 0.49, 0.49, 0.0]
    """
    mass = np.ones(len(labels)) if weights is None else np.asarray(weights, dtype=np.float64)
    natural = np.zeros(len(labels))
    for truth, share in ((1.0, prevalence), (0.0, 1 - prevalence)):
        chosen = labels == truth
        total = mass[chosen].sum()
        natural[chosen] = share * mass[chosen] / total if total else 0.0
    return natural


def _curve(scores: Array, labels: Array, weights: Array) -> Curve:
    order = np.argsort(-scores, kind="stable")
    scores, labels, weights = scores[order], labels[order], weights[order]
    last = np.flatnonzero(np.append(np.diff(scores) != 0, True)) if len(scores) else np.zeros(0, np.int64)
    true, false = np.cumsum(weights * labels), np.cumsum(weights * (1 - labels))
    return Curve(scores[last], true[last], false[last], np.cumsum(labels)[last])


def _reject(curve: Curve, precision: float) -> int | None:
    enough = curve.true >= precision * (curve.true + curve.false)
    enough &= (curve.false <= MOST_FALSE_ALARMS * curve.false[-1]) & (curve.hits >= FEWEST_TRUE)
    return int(np.flatnonzero(enough)[-1]) if enough.any() else None


def _hold(curve: Curve) -> int:
    missed = curve.true[-1] - curve.true
    below = missed + curve.false[-1] - curve.false
    fine = (missed <= (1 - APPROVED_FINE) * below) & (curve.true >= HOLD_RECALL * curve.true[-1])
    bearable = curve.false <= MOST_FINE_HELD * curve.false[-1]
    most = int(np.flatnonzero(bearable)[-1]) if bearable.any() else 0
    return min(int(np.flatnonzero(fine)[0]), most)


def _measured(curve: Curve, index: int | None) -> dict[str, float | None]:
    if index is None:
        return {"threshold": None, "precision": None, "recall": None, "share": None, "fine_below": None}
    above = curve.true[index] + curve.false[index]
    everything = curve.true[-1] + curve.false[-1]
    fine_below = curve.false[-1] - curve.false[index]
    return {
        "threshold": float(curve.thresholds[index]),
        "precision": float(curve.true[index] / above) if above else None,
        "recall": float(curve.true[index] / curve.true[-1]),
        "share": float(above / everything),
        "fine_below": float(fine_below / (everything - above)) if everything > above else None,
    }
