"""Our estimator behaves as scikit-learn expects of its own."""

# ruff: noqa: N806 - X is what scikit-learn calls a feature matrix

import numpy as np
import pytest
from scipy import sparse
from scipy.special import expit
from sklearn.utils.estimator_checks import parametrize_with_checks

from classifier.correction import SiteCorrection


def expected_failures(estimator: object) -> dict[str, str]:
    """Which rows are drawn depends on how many there are, as in scikit-learn's own."""
    checks = ("dense_data", "sparse_data")
    return {f"check_sample_weight_equivalence_on_{kind}": "rows are split at random" for kind in checks}


@pytest.mark.filterwarnings("default")
@parametrize_with_checks([SiteCorrection(fewest=2)], expected_failed_checks=expected_failures)
def test_scikit_learn_accepts_it(estimator, check) -> None:  # type: ignore[no-untyped-def]
    check(estimator)


def separable(n: int = 400) -> tuple[sparse.csr_matrix, np.ndarray]:
    random = np.random.default_rng(0)
    X = random.normal(size=(n, 6)).astype(np.float32)
    y = (X[:, :2] + 0.5 * random.normal(size=(n, 2)) > 0).astype(float)
    return sparse.csr_matrix(X), y


def test_masked_labels_do_not_change_a_category() -> None:
    X, y = separable()
    masked = y.copy()
    masked[::2, 1] = np.nan
    full, part = SiteCorrection().fit(X, y), SiteCorrection().fit(X, masked)
    assert np.array_equal(full.coef_[:, [0]].toarray(), part.coef_[:, [0]].toarray())
    assert not np.array_equal(full.coef_[:, [1]].toarray(), part.coef_[:, [1]].toarray())


def test_a_base_that_is_right_already_is_left_alone() -> None:
    X, y = separable(4000)
    base = SiteCorrection().fit(X[:3800], y[:3800])
    again = SiteCorrection().fit(X[3800:], y[3800:], offset=base.decision_function(X[3800:]))
    assert again.strength_ == [None, None]


def test_labels_with_one_class_only_change_nothing() -> None:
    X, y = separable(80)
    y[:, 1] = 0
    assert (SiteCorrection().fit(X, y).decision_function(X)[:, 1] == 0).all()


def test_probabilities_are_calibrated_on_unseen_rows() -> None:
    X, y = separable(4000)
    correction = SiteCorrection().fit(X[:3000], y[:3000])
    unseen = expit(correction.decision_function(X[3000:]))
    assert np.abs(unseen.mean(axis=0) - y[3000:].mean(axis=0)).max() < 0.05
