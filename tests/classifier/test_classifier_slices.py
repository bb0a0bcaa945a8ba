"""What is measured apart, and what is found in disguise."""

import numpy as np
from made_up_comments import made_up

from classifier import Classifier
from classifier.dataset import Rows
from classifier.perturbation import DISGUISES
from classifier.slices import recall_kept, slices


def rows(n: int = 60) -> Rows:
    comments, labels = made_up(n, seed=6)
    ones = np.ones((n, labels.shape[1]))
    return Rows(comments, labels, ones, np.full(n, "made up"), np.full(n, "en"))


def test_every_comment_is_in_its_source_and_language() -> None:
    found = dict(slices(rows()))
    assert found["made up"].all() and found["language: en"].all()
    assert 0 < found["kind: with a link"].sum() < 60


def test_recall_in_disguise_is_a_share_of_what_is_found_as_written(small: Classifier) -> None:
    labelled = rows()
    scores = small.score(labelled.comments)
    kept = recall_kept(small, labelled, scores, "toxicity", 0.5)
    assert set(kept) == {*DISGUISES, "padded with other comments"}
    assert kept["look-alikes"] == kept["invisible"] == kept["marked"] == 1.0


def test_a_category_that_is_never_found_keeps_nothing(small: Classifier) -> None:
    labelled = rows()
    assert recall_kept(small, labelled, small.score(labelled.comments), "threat", 0.5) == {}
