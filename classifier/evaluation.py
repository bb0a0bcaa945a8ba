"""How good a model is on labelled comments, and whether another is really better."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from classifier.categories import CATEGORIES
from classifier.examples import Example, label_matrix, weight_vector
from classifier.model import Classifier
from classifier.regression import regression_examples

Array = NDArray[Any]
_BINS = 15
# Keeps a certain but wrong probability from being infinitely bad.
_SMALLEST = 1e-6
# So much of the order of the small cases may be lost. What sites teach moves it by some thousandths; one case
# of twenty that is wholly lost moves it by 0.05.
REGRESSION_TOLERANCE = 0.02


@dataclass(frozen=True)
class Interval:
    """By how much the challenger's log-loss is lower, with its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """Whether a challenger is proven better; positive differences speak for it."""

    champion: Mapping[str, Any]
    challenger: Mapping[str, Any]
    overall: Interval | None
    categories: Mapping[str, Interval]
    better: bool
    worse_in: list[str]
    reason: str


def report(scores: Array, labels: Array, weights: Array, points: Mapping[str, Any]) -> dict[str, Any]:
    """Per category: n, positives, auc, average_precision, log_loss, brier, calibration_error, at.

    From scores and labels (n, 7) and weights (n,). A measure that is not defined on these comments (one class
    only, no label) is None.
    """
    measured = {}
    for k, category in enumerate(CATEGORIES):
        known = ~np.isnan(labels[:, k]) & (weights > 0)
        parts = scores[known, k].astype(np.float64), labels[known, k], weights[known]
        measured[category] = {**_measure(*parts), "at": _at_points(*parts, points.get(category) or {})}
    return measured


def confusion(scores: Array, labels: Array, points: Mapping[str, Any]) -> dict[str, Any]:
    """Counts at or above and below each operating point: scores and labels (n, 7)."""
    counted: dict[str, Any] = {}
    for k, category in enumerate(CATEGORIES):
        known = ~np.isnan(labels[:, k])
        truth = labels[known, k] > 0
        for name, point in (points.get(category) or {}).items():
            if isinstance(point, Mapping) and point.get("threshold") is not None:
                above = scores[known, k] >= point["threshold"]
                counts = {
                    "true_above": truth & above,
                    "false_above": ~truth & above,
                    "true_below": truth & ~above,
                    "false_below": ~truth & ~above,
                }
                numbers = {part: int(found.sum()) for part, found in counts.items()}
                counted.setdefault(category, {})[name] = {"threshold": point["threshold"], **numbers}
    return counted


def compare(
    champion: Classifier,
    challenger: Classifier,
    examples: Sequence[Example],
    *,
    seed: int = 0,
    rounds: int = 500,
    scores: Array | None = None,
) -> Comparison:
    """Both models on the same examples, with a paired bootstrap (Efron 1979) over examples.

    `better` when the interval of the weighted mean log-loss difference lies wholly above zero; `worse_in`
    names the categories whose interval lies wholly below, or that the challenger orders clearly worse (or
    worse than chance): where a site's share of spam differs from the model's, log-loss alone can be won
    without telling any comments apart. `scores`: the champion's, if already known.
    """
    comments = [example.comment for example in examples]
    labels, weights = label_matrix(examples), weight_vector(examples)
    old = champion.score(comments) if scores is None else scores
    new = challenger.score(comments)
    gains = losses(old, labels) - losses(new, labels)
    draws = _draws(len(gains), np.random.default_rng(seed), rounds)
    overall, categories = _intervals(gains, weights, draws)
    worse_in = [
        category
        for category, interval in categories.items()
        if interval.high < 0 or _orders_worse(old, new, labels, weights, draws, CATEGORIES.index(category))
    ]
    better = overall is not None and overall.low > 0
    return Comparison(
        champion=report(old, labels, weights, champion.card.get("operating_points") or {}),
        challenger=report(new, labels, weights, challenger.card.get("operating_points") or {}),
        overall=overall,
        categories=categories,
        better=better,
        worse_in=worse_in,
        reason=_reason(overall, worse_in, len(examples)),
    )


@dataclass(frozen=True)
class Regression:
    """How two models order the cases that every model must get right, by category, and where that is lost."""

    areas: Mapping[str, Mapping[str, float]]
    lost: list[str]


def regression(champion: Classifier, challenger: Classifier) -> Regression:
    """Both models on the cases of `classifier/regression.py`: areas under the ROC curve (AUC).

    `lost` names the categories that the challenger orders worse by more than REGRESSION_TOLERANCE. The cases
    are the whole and no sample, so nothing is left to chance. How high the scores are is not asked: a site
    may have more spam than others, but must not confuse it with thanks.
    """
    examples = regression_examples()
    labels = label_matrix(examples)
    old, new = (model.score([example.comment for example in examples]) for model in (champion, challenger))
    areas = {
        category: {"champion": _area(old[:, k], labels[:, k]), "challenger": _area(new[:, k], labels[:, k])}
        for k, category in enumerate(CATEGORIES)
        if {0.0, 1.0} <= set(labels[:, k])
    }
    lost = [
        category
        for category, area in areas.items()
        if area["champion"] - area["challenger"] > REGRESSION_TOLERANCE
    ]
    return Regression(areas, lost)


def _area(scores: Array, labels: Array) -> float:
    known = ~np.isnan(labels)
    return round(float(roc_auc_score(labels[known], scores[known])), 4)


def losses(scores: Array, labels: Array) -> NDArray[np.float64]:
    """Log-loss of each cell (n, 7), in nats; NaN where the label is unknown."""
    clipped = np.clip(scores.astype(np.float64), _SMALLEST, 1 - _SMALLEST)
    return np.asarray(-labels * np.log(clipped) - (1 - labels) * np.log(1 - clipped))


def calibration_error(scores: Array, labels: Array, weights: Array) -> float:
    """Expected calibration error over 15 equal-width bins (Naeini et al. 2015)."""
    bins = np.minimum((scores * _BINS).astype(np.int64), _BINS - 1)
    gaps = np.bincount(bins, weights=weights * (labels - scores), minlength=_BINS)
    return float(np.abs(gaps).sum() / weights.sum())


def _measure(scores: Array, labels: Array, weights: Array) -> dict[str, float | int | None]:
    n, positives = len(labels), int(labels.sum())
    both = 0 < positives < n
    return {
        "n": n,
        "positives": positives,
        "auc": float(roc_auc_score(labels, scores, sample_weight=weights)) if both else None,
        "average_precision": float(average_precision_score(labels, scores, sample_weight=weights))
        if both
        else None,
        "log_loss": float(np.average(losses(scores, labels), weights=weights)) if n else None,
        "brier": float(np.average((scores - labels) ** 2, weights=weights)) if n else None,
        "calibration_error": calibration_error(scores, labels, weights) if n else None,
    }


def _at_points(scores: Array, labels: Array, weights: Array, points: Mapping[str, Any]) -> dict[str, Any]:
    measured: dict[str, Any] = {}
    for name in ("reject", "hold"):
        threshold = (points.get(name) or {}).get("threshold")
        above = scores >= threshold if threshold is not None else np.zeros(len(scores), np.bool_)
        hits, all_above, all_true = (
            float(part.sum()) for part in (weights * labels * above, weights * above, weights * labels)
        )
        measured[name] = {
            "precision": hits / all_above if all_above else None,
            "recall": hits / all_true if all_true and threshold is not None else None,
        }
    return measured


def _grouped_area(group: Array, truth: Array, weights: Array) -> float:
    """The weighted area under the ROC curve, ties half (Mann and Whitney 1947); NaN with one class only.

    `group` (n,) is the rank of each score among the distinct ones.

    >>> _grouped_area(np.array([0, 1, 1, 2]), np.array([0, 0, 1, 1]), np.ones(4))
    0.875
    """
    true, false = np.bincount(group, weights * truth), np.bincount(group, weights * (1 - truth))
    pairs = true.sum() * false.sum()
    return float(true @ (np.cumsum(false) - false / 2) / pairs) if pairs else float("nan")


def _orders_worse(old: Array, new: Array, labels: Array, weights: Array, draws: list[Array], k: int) -> bool:
    """Whether the bootstrap interval of the difference of areas lies wholly below 0, or the new area's wholly
    below a half: worse than tossing a coin, however bad the old one is."""
    known = ~np.isnan(labels[:, k])
    groups = [np.unique(scores[known, k], return_inverse=True)[1] for scores in (old, new)]
    areas = np.array(
        [
            [_grouped_area(group, labels[known, k], weights[known] * draw[known]) for group in groups]
            for draw in draws
        ]
    )
    areas = areas[~np.isnan(areas).any(axis=1)]
    if not len(areas):
        return False
    return bool(np.quantile(areas[:, 1] - areas[:, 0], 0.975) < 0 or np.quantile(areas[:, 1], 0.975) < 0.5)


def _draws(n: int, random: np.random.Generator, rounds: int) -> list[Array]:
    """How often each of n examples is in each bootstrap sample."""
    return [np.bincount(random.integers(n, size=n), minlength=n) for _ in range(rounds)] if n else []


def _intervals(
    gains: Array, weights: Array, draws: list[Array]
) -> tuple[Interval | None, dict[str, Interval]]:
    known = ~np.isnan(gains)
    mass = weights[:, None] * known
    sums = np.where(known, gains, 0.0) * weights[:, None]
    columns = [k for k in range(gains.shape[1]) if known[:, k].sum() > 1]
    if not columns:
        return None, {}
    drawn_sums, drawn_mass = (np.array([draw @ part for draw in draws]) for part in (sums, mass))
    overall = _interval(sums.sum() / mass.sum(), drawn_sums.sum(axis=1), drawn_mass.sum(axis=1))
    each = {
        CATEGORIES[k]: _interval(sums[:, k].sum() / mass[:, k].sum(), drawn_sums[:, k], drawn_mass[:, k])
        for k in columns
    }
    return overall, each


def _interval(mean: float, sums: Array, mass: Array) -> Interval:
    drawn = sums[mass > 0] / mass[mass > 0]
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Interval(float(mean), float(low), float(high))


def _reason(overall: Interval | None, worse_in: list[str], n: int) -> str:
    if overall is None:
        return "There are too few labelled examples to compare the models."
    interval = f"(95 % interval {overall.low:+.4f} to {overall.high:+.4f} on {n} examples)"
    if overall.low > 0:
        but = f", but it is worse in {', '.join(worse_in)}" if worse_in else ""
        return f"The challenger's log-loss is lower by {overall.mean:.4f} {interval}{but}."
    if overall.high < 0:
        return f"The challenger's log-loss is higher by {-overall.mean:.4f} {interval}."
    return f"The models differ by {overall.mean:+.4f} in log-loss, which may be chance {interval}."
