"""Labelled comments as they are used for training: classifier.dataset"""

import numpy as np

from classifier.categories import CATEGORIES
from classifier.dataset import Rows, for_training, is_labelled, joined

WORDS = " ".join(f"word{n}" for n in range(60))
SOURCES = [
    "wiki-context CAT",
    "blog_stackexchange",
    "jigsaw2018 (non-toxic, raw)",
    "germeval2018",
    "convabuse",
]
BODIES = [WORDS, WORDS, WORDS.upper(), WORDS, "too short for that"]


def rows() -> Rows:
    n = len(BODIES)
    labels = np.full((n, len(CATEGORIES)), np.nan)
    labels[:, 1] = 0.0
    languages = np.array(["en", "en", "en", "de", "en"])
    comments = [{"body": body, "author": {}, "thread": {}} for body in BODIES]
    return Rows(comments, labels, np.ones_like(labels), np.array(SOURCES), languages)


def test_joined_rows_are_those_of_both() -> None:
    both = joined(rows(), rows().take(np.array([2, 0])))
    assert [comment["body"] for comment in both.comments] == [*BODIES, BODIES[2], BODIES[0]]
    assert both.sources.tolist() == [*SOURCES, SOURCES[2], SOURCES[0]]
    assert both.labels.shape == both.label_weights.shape == (len(BODIES) + 2, len(CATEGORIES))


def test_a_row_is_labelled_if_anybody_labelled_it_in_any_category() -> None:
    some = rows()
    some.labels[1:3, 1] = np.nan
    some.labels[2, 0] = 1.0
    assert is_labelled(some).tolist() == [True, False, True, True, True]


def test_ham_of_the_blog_whose_ham_is_polish_does_not_teach() -> None:
    blog = rows()
    labelled = Rows(
        blog.comments, blog.labels, blog.label_weights, np.full(5, "blog_lrem_weak"), blog.languages
    )
    labelled.labels[:, 0] = [0, 1, 0, 1, 1]
    assert np.isnan(for_training(labelled).labels[:, 0]).tolist() == [True, False, True, False, False]
