"""Texts that nobody labelled, made of those to train on: classifier.excerpts"""

import numpy as np

from classifier.categories import CATEGORIES
from classifier.dataset import Rows
from classifier.excerpts import excerpts
from classifier.perturbation import _TERMS_LIKE

LONG = " ".join(f"word{n}" for n in range(200))
BODIES = [LONG, LONG.upper(), LONG, LONG, "what my deaf friend said of a gay black muslim woman", ""]
SOURCES = ["wiki-context CAT", "jigsaw2018", "blog_stackexchange", "germeval2018", "convabuse", "convabuse"]
LANGUAGES = ["en", "en", "en", "de", "en", "en"]


def rows() -> Rows:
    labels = np.full((len(BODIES), len(CATEGORIES)), np.nan)
    labels[:, 1] = 0.0
    comments = [{"body": body, "author": {}, "thread": {}} for body in BODIES]
    return Rows(comments, labels, np.ones_like(labels), np.array(SOURCES), np.array(LANGUAGES))


def test_they_are_taken_from_discussions_and_from_no_blog() -> None:
    _, owners = excerpts(rows(), seed=0)
    assert set(owners.tolist()) == {0, 1, 3, 4, 5}


def test_those_in_other_languages_are_few_and_come_last_and_are_not_mixed_with_english() -> None:
    pieces, owners = excerpts(rows(), seed=0)
    assert owners[-2:].tolist() == [3, 3] and (owners == 3).sum() == 2
    assert pieces.languages[-2:].tolist() == ["de", "de"]
    english, _ = excerpts(rows().take(np.array([0, 1, 2, 4, 5])), seed=0)
    assert [piece["body"] for piece in english.comments] == [piece["body"] for piece in pieces.comments[:-2]]


def test_a_long_comment_gives_many_and_none_gives_more_than_32() -> None:
    _, owners = excerpts(rows(), seed=0)
    assert [int((owners == i).sum()) for i in (0, 1)] == [32, 32]


def test_each_word_of_them_is_a_word_of_some_discussion_or_one_of_its_kind() -> None:
    pieces, _ = excerpts(rows(), seed=0)
    words = {word for i in (0, 1, 4) for word in BODIES[i].split()}
    others = {word for piece in pieces.comments for word in piece["body"].split()} - words
    assert others and all(len(set(_TERMS_LIKE[word]).intersection(BODIES[4].split())) > 0 for word in others)


def test_some_are_as_written_and_some_have_words_out_of_place() -> None:
    texts = [piece["body"] for piece in excerpts(rows(), seed=0)[0].comments]
    as_written = [text for text in texts if any(text in body for body in BODIES)]
    assert 0.2 < len(as_written) / len(texts) < 0.8


def test_a_whole_comment_about_other_people_is_among_them() -> None:
    pieces, owners = excerpts(rows(), seed=0)
    whole = [piece["body"] for piece, owner in zip(pieces.comments, owners, strict=True) if owner == 4]
    assert any(len(text.split()) == len(BODIES[4].split()) and text != BODIES[4] for text in whole)


def test_they_have_no_labels_and_say_nothing_of_spam() -> None:
    pieces, _ = excerpts(rows(), seed=0)
    assert np.isnan(pieces.labels).all()
    assert not pieces.label_weights[:, 0].any()
    assert (pieces.label_weights[:, 1:] == 0.5).all()


def test_the_same_seed_gives_the_same() -> None:
    (first, _), (again, _), (other, _) = (excerpts(rows(), seed) for seed in (1, 1, 2))
    assert first.comments == again.comments != other.comments
