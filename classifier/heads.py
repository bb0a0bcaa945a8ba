"""One linear head per label on shared features, learnt from labels that are partly missing."""

# ruff: noqa: N803, N806 - X is what scikit-learn calls a feature matrix

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import (
    _check_sample_weight,
    check_array,
    check_consistent_length,
    check_is_fitted,
    validate_data,
)

from classifier.logistic import Line, fit_line

Floats = NDArray[np.float64]

_FLOATS = (np.float32, np.float64)
# A slope fitted on fewer of either class says more about the draw than about the scores.
_FEWEST_TO_CALIBRATE = 8


class MaskedLogistic(BaseEstimator):  # type: ignore[misc]
    """Calibrated logistic regression for each column of y; NaN in y is a label that nobody gave.

    After each fit a slope and an intercept are fitted on held-back rows (Platt 1999) and folded in, so a
    probability is expit(X @ coef_ + intercept_), and nothing else.

    `strength`: of the L2 penalty. `held_back`: share of the rows that calibrate. `tolerance`: smaller weights
    become 0. `first_only_from`: columns from this one on serve the first label alone (None: all serve all).
    """

    coef_: NDArray[np.float32]
    intercept_: NDArray[np.float32]

    def __init__(
        self,
        *,
        strength: float = 0.2,
        held_back: float = 0.1,
        tolerance: float = 1e-3,
        first_only_from: int | None = None,
        max_iter: int = 200,
        random_state: int = 0,
    ) -> None:
        self.strength = strength
        self.held_back = held_back
        self.tolerance = tolerance
        self.first_only_from = first_only_from
        self.max_iter = max_iter
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> Self:
        """X (n, features) dense or CSR; y (n,) or (n, labels), true above 0; sample_weight (n,).

        Rows of one group (n,) are held back together (None: each row alone).
        """
        if y is None:
            raise ValueError("MaskedLogistic requires y to be passed, but the target y is None")
        X = validate_data(self, X, accept_sparse="csr", dtype=_FLOATS)
        y = check_array(y, ensure_2d=False, ensure_all_finite="allow-nan", dtype=np.float64)
        check_consistent_length(X, y)
        labels = y.reshape(X.shape[0], -1)
        weights = _check_sample_weight(sample_weight, X, dtype=np.float64)
        held = self._held(np.arange(X.shape[0]) if groups is None else np.asarray(groups))
        lines = [self._fit_label(X, label, weights, held, first=k == 0) for k, label in enumerate(labels.T)]
        coef = np.column_stack([line.coef for line in lines])
        coef[np.abs(coef) < self.tolerance] = 0
        # Stored in half precision (see __getstate__), so rounded here: what is saved is what was measured.
        self.coef_ = coef.astype(np.float16).astype(np.float32)
        self.intercept_ = np.array([line.intercept for line in lines], dtype=np.float32)
        return self

    def decision_function(self, X: Any) -> NDArray[np.float32]:
        """Logits (n, labels) of X (n, features)."""
        check_is_fitted(self)
        return self.logits(validate_data(self, X, accept_sparse="csr", dtype=_FLOATS, reset=False))

    def logits(self, X: Any) -> NDArray[np.float32]:
        """`decision_function` without scikit-learn's checks, which cost more than scoring one comment."""
        return np.asarray(X @ self.coef_ + self.intercept_, dtype=np.float32)

    def total_coef(self) -> NDArray[np.float32]:
        """Weights (features, labels)."""
        return self.coef_

    def _held(self, groups: NDArray[Any]) -> NDArray[np.bool_]:
        names, group_of = np.unique(groups, return_inverse=True)
        drawn = np.random.RandomState(self.random_state).uniform(size=len(names)) < self.held_back
        return np.asarray(drawn[group_of])

    def _fit_label(
        self, X: Any, label: Floats, weights: Floats, held: NDArray[np.bool_], *, first: bool
    ) -> Line:
        known = ~np.isnan(label) & (weights > 0)
        truth = (label > 0).astype(np.float64)
        fitted, kept = np.flatnonzero(known & ~held), np.flatnonzero(known & held)
        if len(np.unique(truth[fitted])) < 2:
            return _constant(X.shape[1], truth[known], weights[known])
        seen = X.shape[1] if first or self.first_only_from is None else self.first_only_from
        line = fit_line(
            X[fitted, :seen], truth[fitted], weights[fitted], strength=self.strength, max_iter=self.max_iter
        )
        line = Line(np.append(line.coef, np.zeros(X.shape[1] - seen)), line.intercept)
        return _calibrated(line, X[kept], truth[kept], weights[kept])

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = dict(super().__getstate__())
        if "coef_" in state:
            state["coef_"] = state["coef_"].astype(np.float16)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "coef_" in state:
            state = {**state, "coef_": state["coef_"].astype(np.float32)}
        super().__setstate__(state)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        return tags


def _constant(columns: int, truth: Floats, weights: Floats) -> Line:
    """Without both classes only a rate is known, and one pseudo-label of each kind keeps it off 0 and 1."""
    true = float(truth @ weights)
    return Line(np.zeros(columns), float(np.log((true + 1) / (weights.sum() - true + 1))))


def _calibrated(line: Line, X: Any, truth: Floats, weights: Floats) -> Line:
    if min(truth.sum(), (1 - truth).sum()) < _FEWEST_TO_CALIBRATE:
        return line
    logits = np.asarray(X @ line.coef) + line.intercept
    fitted = fit_line(logits[:, None], truth, weights, strength=1e-6)
    slope = float(fitted.coef[0])
    return Line(line.coef * slope, line.intercept * slope + fitted.intercept) if slope > 0 else line
