"""One small model for all tests."""

import pytest
from made_up_comments import small_network

from classifier import Classifier
from classifier.card import new_card


@pytest.fixture(scope="session")
def small() -> Classifier:
    card = new_card("small-1", created_at=0, parent=None, summary={"spam": {"auc": 1.0}}, operating_points={})
    return Classifier(small_network(), card)
