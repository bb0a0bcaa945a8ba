"""Weighted logistic regression with an offset: the one optimiser behind training, calibration, retraining."""

# ruff: noqa: N803 - X is what scikit-learn calls a feature matrix
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import optimize
from scipy.special import expit
from sklearn.utils.parallel import _get_threadpool_controller

Array = NDArray[Any]
# What scipy takes when nothing is said.
_SCIPY_PRECISION = 2.2204460492503131e-09


class Line(NamedTuple):
    """logit = offset + X @ coef + intercept."""

    coef: NDArray[np.float64]
    intercept: float


def fit_line(
    X: Any,
    y: Array,
    weights: Array,
    *,
    strength: float,
    offset: Array | float = 0.0,
    intercept_strength: float = 0.0,
    max_iter: int = 200,
    precision: float = _SCIPY_PRECISION,
) -> Line:
    """Minimise sum(weights * log-loss) + strength/2 * |coef|^2 + intercept_strength/2 * intercept^2.

    X (n, features) dense or CSR; y (n,) of 0 and 1; weights (n,). L-BFGS (Liu and Nocedal 1989), until a step
    lowers the value by less than the relative `precision`.
    """
    dtype = X.dtype

    def objective(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        coef, intercept = parameters[:-1], parameters[-1]
        logits = np.asarray(X @ coef.astype(dtype), dtype=np.float64) + offset + intercept
        losses = np.logaddexp(0, logits) - y * logits
        residuals = weights * (expit(logits) - y)
        value = weights @ losses + (strength * coef @ coef + intercept_strength * intercept**2) / 2
        slope = np.asarray(X.T @ residuals.astype(dtype), dtype=np.float64) + strength * coef
        return float(value), np.append(slope, residuals.sum() + intercept_strength * intercept)

    start = np.zeros(X.shape[1] + 1)
    options = {"maxiter": max_iter, "ftol": precision}
    # One thread: L-BFGS makes many short vector products, for which threads wait on each other (ten times
    # slower on a busy machine), and the sums of several threads differ in their last bits.
    with _get_threadpool_controller().limit(limits=1, user_api="blas"):
        found = optimize.minimize(objective, start, jac=True, method="L-BFGS-B", options=options)
    return Line(found.x[:-1], float(found.x[-1]))
