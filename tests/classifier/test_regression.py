"""The small cases that every model must get right"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from classifier.categories import CATEGORIES
from classifier.evaluation import regression
from classifier.examples import label_matrix
from classifier.registry import load_shipped
from classifier.regression import regression_examples


@dataclass
class Model:
    """Scores as somebody wants them."""

    scores: Any

    def score(self, _comments: Any) -> Any:
        return self.scores


def perfect() -> np.ndarray[Any, Any]:
    labels = label_matrix(regression_examples())
    chance = np.random.default_rng(3)
    return np.where(labels == 1, 0.8, 0.1) + chance.uniform(0, 0.1, labels.shape)


def test_no_case_is_there_twice() -> None:
    bodies = [example.comment["body"] for example in regression_examples()]
    assert len(bodies) == len(set(bodies)) >= 100


def test_every_category_asked_for_has_cases_of_both_kinds() -> None:
    labels = label_matrix(regression_examples())
    for name in ("spam", "toxicity", "threat", "identity_attack"):
        known = labels[:, CATEGORIES.index(name)]
        assert {0.0, 1.0} <= set(known[~np.isnan(known)])


def test_the_shipped_model_orders_them_well() -> None:
    shipped = load_shipped()
    found = regression(shipped, shipped)
    assert found.lost == []
    assert min(areas["challenger"] for areas in found.areas.values()) > 0.9


def test_a_challenger_that_takes_thanks_for_spam_lost_it() -> None:
    worse = perfect()
    worse[:, 0] = 1 - worse[:, 0]
    found = regression(Model(perfect()), Model(worse))  # type: ignore[arg-type]
    assert found.lost == ["spam"]
    assert found.areas["spam"]["champion"] == 1.0


@pytest.mark.parametrize("shift", [-0.05, 0.05])
def test_scores_that_are_higher_or_lower_in_all_lose_nothing(shift: float) -> None:
    found = regression(Model(perfect()), Model(perfect() + shift))  # type: ignore[arg-type]
    assert found.lost == []


@pytest.mark.parametrize("category", ["spam", "toxicity", "threat", "identity_attack"])
def test_two_lost_cases_are_noticed_in_every_category(category: str) -> None:
    k = CATEGORIES.index(category)
    worse = perfect()
    true = np.flatnonzero(label_matrix(regression_examples())[:, k] == 1)
    worse[true[:2], k] = 0.0
    found = regression(Model(perfect()), Model(worse))  # type: ignore[arg-type]
    assert found.lost == [category]
