"""Measures, comparisons and thresholds."""

from typing import Any

import numpy as np
import pytest
from made_up_comments import examples, newsletters

from classifier import Classifier
from classifier.evaluation import calibration_error, compare, confusion, report
from classifier.examples import label_matrix, weight_vector
from classifier.retraining import Example, fit_challenger
from classifier.thresholds import natural_weights, operating_points


def evaluate(model: Classifier, found: list[Example]) -> dict[str, Any]:
    scores = model.score([example.comment for example in found])
    return report(scores, label_matrix(found), weight_vector(found), {})


def test_a_good_model_has_a_high_auc_and_unknown_categories_have_none(small: Classifier) -> None:
    measured = evaluate(small, examples(90, seed=8))
    assert measured["spam"]["auc"] > 0.95 and measured["spam"]["n"] == 90
    assert measured["threat"]["n"] == 0 and measured["threat"]["auc"] is None


def test_one_class_only_has_no_auc_but_a_loss(small: Classifier) -> None:
    measured = evaluate(small, [Example({"body": "hello"}, {"spam": False})])["spam"]
    assert measured["auc"] is None and measured["log_loss"] > 0


def test_no_examples_measure_nothing(small: Classifier) -> None:
    assert evaluate(small, [])["spam"]["log_loss"] is None


def test_a_model_is_not_better_than_itself(small: Classifier) -> None:
    comparison = compare(small, small, examples(60))
    assert not comparison.better and comparison.worse_in == []
    assert comparison.overall is not None and comparison.overall.mean == 0


def test_no_labels_compare_nothing(small: Classifier) -> None:
    comparison = compare(small, small, [])
    assert not comparison.better and "too few" in comparison.reason


def test_a_challenger_taught_the_site_is_better_with_an_interval_above_zero(small: Classifier) -> None:
    challenger = fit_challenger(small, newsletters(200, seed=1), version="c-1")
    comparison = compare(small, challenger, newsletters(100, seed=2))
    assert comparison.better and comparison.overall is not None and comparison.overall.low > 0
    assert compare(challenger, small, newsletters(100, seed=2)).worse_in == ["spam"]


def test_perfectly_calibrated_scores_have_no_calibration_error() -> None:
    scores = np.repeat([0.25, 0.75], 100)
    labels = np.tile([1.0, 0.0, 0.0, 0.0], 25).tolist() + np.tile([1.0, 1.0, 1.0, 0.0], 25).tolist()
    assert calibration_error(scores, np.array(labels), np.ones(200)) == pytest.approx(0)


def test_reject_takes_the_most_recall_at_the_wanted_precision() -> None:
    scores = np.linspace(0, 1, 1000)
    labels = (scores > 0.7).astype(float)
    points = operating_points(scores, labels)
    assert points is not None
    assert points["reject"]["threshold"] == pytest.approx(0.7, abs=0.01)
    assert points["reject"]["precision"] >= 0.98
    assert points["hold"]["threshold"] <= points["reject"]["threshold"]


def test_reject_is_none_when_the_precision_cannot_be_met() -> None:
    random = np.random.default_rng(0)
    points = operating_points(random.uniform(size=500), (random.uniform(size=500) < 0.3).astype(float))
    assert points is not None and points["reject"]["threshold"] is None
    assert 0 <= points["hold"]["threshold"] <= 1


def test_there_are_no_points_without_both_classes() -> None:
    assert operating_points(np.array([0.1, 0.9]), np.array([1.0, np.nan])) is None


def test_what_is_approved_is_nearly_all_fine_where_the_scores_tell_well() -> None:
    random = np.random.default_rng(1)
    labels = (random.uniform(size=5000) < 0.2).astype(float)
    scores = np.clip(labels * 0.7 + random.uniform(size=5000) * 0.6, 0, 1)
    points = operating_points(scores, labels)
    assert points is not None
    assert labels[scores < points["hold"]["threshold"]].mean() <= 0.01


def test_at_most_five_in_a_hundred_fine_comments_are_held_where_they_do_not() -> None:
    random = np.random.default_rng(1)
    labels = (random.uniform(size=5000) < 0.2).astype(float)
    scores = np.clip(labels * 0.3 + random.uniform(size=5000) * 0.6, 0, 1)
    points = operating_points(scores, labels)
    assert points is not None
    fine = scores[labels == 0]
    assert 0.045 <= (fine >= points["hold"]["threshold"]).mean() <= 0.05


def test_natural_weights_give_the_assumed_prevalence() -> None:
    labels = np.array([1, 1, 1, 0, np.nan])
    weights = natural_weights(labels, 0.1)
    assert weights[labels == 1].sum() == pytest.approx(0.1) and weights.sum() == pytest.approx(1)


def test_winning_by_the_share_of_spam_alone_is_worse_if_the_order_suffers(small: Classifier) -> None:
    truth = newsletters(120, seed=3)
    upside_down = [Example(e.comment, {"spam": not e.labels["spam"]}) for e in truth]
    challenger = fit_challenger(small, upside_down, version="c-2")
    assert "spam" in compare(small, fit_challenger(small, [], version="c-3"), truth).categories
    comparison = compare(fit_challenger(small, truth, version="c-4"), challenger, newsletters(80, seed=9))
    assert comparison.worse_in == ["spam"] and not comparison.better


def test_the_confusion_counts_every_labelled_comment_once() -> None:
    scores = np.array([[0.9, 0.2], [0.4, 0.8], [0.1, 0.1]]).repeat([1, 1, 1], axis=0)
    scores, labels = np.pad(scores, ((0, 0), (0, 5))), np.full((3, 7), np.nan)
    labels[:, 0] = 1, 1, 0
    counted = confusion(scores, labels, {"spam": {"hold": {"threshold": 0.5}, "reject": {"threshold": None}}})
    assert counted == {
        "spam": {
            "hold": {
                "threshold": 0.5,
                "true_above": 1,
                "false_above": 0,
                "true_below": 1,
                "false_below": 1,
            }
        }
    }
