"""Labelled comments as they are used for training: classifier.dataset"""

import numpy as np

from classifier.categories import CATEGORIES
from classifier.dataset import Rows, excerpts, for_training, joined

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


def test_excerpts_are_pieces_of_longer_english_discussions() -> None:
    pieces, owners = excerpts(rows(), seed=0)
    assert set(owners.tolist()) == {0, 2}
    for piece, owner in zip(pieces.comments, owners, strict=True):
        assert piece["body"] in BODIES[owner]
        assert 5 <= len(piece["body"].split()) <= 24


def test_excerpts_have_no_labels_and_say_nothing_of_spam() -> None:
    pieces, _ = excerpts(rows(), seed=0)
    assert np.isnan(pieces.labels).all()
    assert not pieces.label_weights[:, 0].any()
    assert (pieces.label_weights[:, 1:] == 0.5).all()


def test_the_same_seed_gives_the_same_excerpts() -> None:
    (first, _), (again, _), (other, _) = (excerpts(rows(), seed) for seed in (1, 1, 2))
    assert first.comments == again.comments != other.comments


def test_joined_rows_are_those_of_both() -> None:
    pieces, owners = excerpts(rows(), seed=0)
    both = joined(rows(), pieces)
    assert len(both) == len(BODIES) + len(owners)
    assert both.comments[len(BODIES)] == pieces.comments[0]
    assert both.sources[-1] == pieces.sources[-1]


def test_ham_of_the_blog_whose_ham_is_polish_does_not_teach() -> None:
    blog = rows()
    labelled = Rows(
        blog.comments, blog.labels, blog.label_weights, np.full(5, "blog_lrem_weak"), blog.languages
    )
    labelled.labels[:, 0] = [0, 1, 0, 1, 1]
    assert np.isnan(for_training(labelled).labels[:, 0]).tolist() == [True, False, True, False, False]
