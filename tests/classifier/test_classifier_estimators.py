"""Our estimators behave as scikit-learn expects of its own."""

# ruff: noqa: N806 - X is what scikit-learn calls a feature matrix

import numpy as np
import pytest
from scipy import sparse
from scipy.special import expit
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks

from classifier.correction import SiteCorrection
from classifier.features import CommentFeatures
from classifier.heads import MaskedLogistic


def expected_failures(estimator: object) -> dict[str, str]:
    """Which rows are drawn depends on how many there are, as in scikit-learn's own."""
    if isinstance(estimator, MaskedLogistic) and not estimator.held_back:
        return {}
    checks = ("dense_data", "sparse_data")
    return {f"check_sample_weight_equivalence_on_{kind}": "rows are split at random" for kind in checks}


@pytest.mark.filterwarnings("default")
@parametrize_with_checks(
    [MaskedLogistic(), MaskedLogistic(held_back=0.0), SiteCorrection(fewest=2)],
    expected_failed_checks=expected_failures,
)
def test_scikit_learn_accepts_it(estimator, check) -> None:  # type: ignore[no-untyped-def]
    check(estimator)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_scikit_learn_accepts_the_features_as_far_as_it_can_check_mappings() -> None:
    check_estimator(CommentFeatures())


def separable(n: int = 400) -> tuple[sparse.csr_matrix, np.ndarray]:
    random = np.random.default_rng(0)
    X = random.normal(size=(n, 6)).astype(np.float32)
    y = (X[:, :2] + 0.5 * random.normal(size=(n, 2)) > 0).astype(float)
    return sparse.csr_matrix(X), y


def test_masked_labels_do_not_change_a_head() -> None:
    X, y = separable()
    masked = y.copy()
    masked[::2, 1] = np.nan
    full, part = MaskedLogistic().fit(X, y), MaskedLogistic().fit(X, masked)
    assert np.array_equal(full.coef_[:, 0], part.coef_[:, 0])
    assert not np.array_equal(full.coef_[:, 1], part.coef_[:, 1])


def test_columns_kept_for_the_first_label_stay_out_of_the_others() -> None:
    X, y = separable()
    heads = MaskedLogistic(first_only_from=4).fit(X, y)
    assert heads.coef_[4:, 0].any() and not heads.coef_[4:, 1].any()


def test_a_label_with_one_class_only_gets_its_smoothed_rate() -> None:
    X, y = separable(8)
    y[:, 1] = 0
    assert np.allclose(expit(MaskedLogistic().fit(X, y).decision_function(X)[:, 1]), 1 / 10)


def test_probabilities_are_calibrated_on_unseen_rows() -> None:
    X, y = separable(4000)
    heads = MaskedLogistic().fit(X[:3000], y[:3000])
    unseen = expit(heads.decision_function(X[3000:]))
    assert np.abs(unseen.mean(axis=0) - y[3000:].mean(axis=0)).max() < 0.05
