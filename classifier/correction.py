"""Learn a site's own correction on top of the shipped model."""

# ruff: noqa: N803, N806 - X is what scikit-learn calls a feature matrix

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import (
    _check_sample_weight,
    check_array,
    check_consistent_length,
    check_is_fitted,
    validate_data,
)

from classifier.logistic import Line, fit_line

_LEAST_PULL = 100.0
# Beyond this, more iterations change probabilities in the fourth digit and cost most of the time.
_PRECISION = 1e-6
_FLOATS = (np.float32, np.float64)


class SiteCorrection(BaseEstimator):  # type: ignore[misc]
    """logit = offset + X @ beta + b for each label, with beta and b pulled to 0 (a Gaussian prior).

    The offset is the base model's logit, so the base is the prior: without labels nothing changes, and the
    more there are, the more the site decides. For each label the strength is chosen among `strengths` by
    cross-validated log-loss, "no correction" being one of the choices; with fewer than `fewest` labels it is
    the only one, and a gain within `margin` standard errors counts for nothing. NaN in y is a label that
    nobody gave.
    """

    coef_: sparse.csr_matrix
    intercept_: NDArray[np.float32]

    def __init__(
        self,
        *,
        strengths: tuple[float, ...] = (0.5, 2.0, 8.0, 32.0),
        intercept_strength: float = 4.0,
        fewest: int = 40,
        folds: int = 5,
        margin: float = 1.0,
        random_state: int = 0,
    ) -> None:
        self.strengths = strengths
        self.intercept_strength = intercept_strength
        self.fewest = fewest
        self.folds = folds
        self.margin = margin
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None, offset: Any = None) -> Self:
        """X (n, features) dense or CSR; y (n,) or (n, labels), true above 0; sample_weight (n,); offset as y
        (None: logits of 0)."""
        if y is None:
            raise ValueError("SiteCorrection requires y to be passed, but the target y is None")
        X = validate_data(self, X, accept_sparse="csr", dtype=_FLOATS)
        y = check_array(y, ensure_2d=False, ensure_all_finite="allow-nan", dtype=np.float64)
        check_consistent_length(X, y)
        labels = y.reshape(X.shape[0], -1)
        weights = _check_sample_weight(sample_weight, X, dtype=np.float64)
        offsets = np.zeros(labels.shape) if offset is None else np.asarray(offset, dtype=np.float64)
        fold_of = np.random.RandomState(self.random_state).permutation(X.shape[0]) % self.folds
        # Only features that occur can have a weight: a few thousand columns instead of hundreds of thousands.
        occurring = np.unique(X.indices) if sparse.issparse(X) else np.arange(X.shape[1])
        part = X[:, occurring]
        fitted = [
            self._fit_label(part, labels[:, k], weights, offsets[:, k], fold_of)
            for k in range(labels.shape[1])
        ]
        coef = np.zeros((X.shape[1], labels.shape[1]))
        coef[occurring] = np.column_stack([line.coef for line, _, _ in fitted])
        self.coef_ = sparse.csr_matrix(coef.astype(np.float32))
        self.intercept_ = np.array([line.intercept for line, _, _ in fitted], dtype=np.float32)
        self.strength_ = [strength for _, strength, _ in fitted]
        self.held_out_logits_ = np.column_stack([logits for _, _, logits in fitted])
        return self

    def decision_function(self, X: Any) -> NDArray[np.float32]:
        """What is added to the offset (n, labels) for X (n, features)."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=_FLOATS, reset=False)
        own = (X @ self.coef_).toarray() if sparse.issparse(X) else X @ self.coef_.toarray()
        return np.asarray(own + self.intercept_, dtype=np.float32)

    def _fit_label(
        self, X: Any, label: Any, weights: Any, offset: Any, fold_of: Any
    ) -> tuple[Line, float | None, NDArray[np.float64]]:
        """The line, its strength (None: no correction), and out-of-fold logits (n,)."""
        known = np.flatnonzero(~np.isnan(label) & (weights > 0))
        held_out = offset.copy()
        truth = (label[known] > 0).astype(np.float64)
        nothing = Line(np.zeros(X.shape[1]), 0.0)
        if len(known) < self.fewest or len(np.unique(truth)) < 2:
            return nothing, None, held_out
        rows = X[known], truth, weights[known], offset[known]
        base_losses = _losses(truth, offset[known])
        best, least = None, float(np.average(base_losses, weights=weights[known]))
        # A weak pull needs labels enough to win over it: with 20 of them only the stronger ones are tried.
        allowed = [strength for strength in self.strengths if strength * len(known) >= _LEAST_PULL]
        for strength in sorted(allowed, reverse=True):
            logits = self._out_of_fold(*rows, fold_of[known], strength)
            losses = _losses(truth, logits)
            mean = float(np.average(losses, weights=weights[known]))
            if best is not None and mean >= least:
                break
            if mean < least and self._is_clear(base_losses - losses, weights[known]):
                best, least, held_out[known] = strength, mean, logits
        return (nothing if best is None else self._line(*rows, best)), best, held_out

    def _is_clear(self, gains: Any, weights: Any) -> bool:
        """Whether the gain is beyond `margin` standard errors: a few odd labels must change nothing."""
        error = float(np.sqrt(np.cov(gains, aweights=weights) / len(gains)))
        return bool(np.average(gains, weights=weights) > self.margin * error)

    def _out_of_fold(
        self, X: Any, truth: Any, weights: Any, offset: Any, fold_of: Any, strength: float
    ) -> Any:
        logits = offset.copy()
        for fold in np.unique(fold_of):
            inside, outside = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
            line = self._line(X[inside], truth[inside], weights[inside], offset[inside], strength)
            logits[outside] += np.asarray(X[outside] @ line.coef).ravel() + line.intercept
        return logits

    def _line(self, X: Any, truth: Any, weights: Any, offset: Any, strength: float) -> Line:
        return fit_line(
            X,
            truth,
            weights,
            offset=offset,
            strength=strength,
            intercept_strength=self.intercept_strength,
            precision=_PRECISION,
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        return tags


def _losses(truth: NDArray[np.float64], logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.logaddexp(0, logits) - truth * logits)
