"""The teacher of many languages, on an encoder small enough for a test. Needs PyTorch (`make train`)."""

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest
from made_up_comments import made_up

pytest.importorskip("torch", reason="no PyTorch (make train installs it): the teacher is not tested")
pytest.importorskip("transformers", reason="no transformers (make train installs it)")

import torch
from small_encoder import small_encoder

from classifier import polyglot, teacher
from classifier.dataset import Rows
from classifier.polyglot import opinions_on_languages, read_as_written

_QUICK = dataclasses.replace(polyglot.OF_MANY_LANGUAGES, rate=3e-3, rounds=6, batch=16)


@pytest.fixture(autouse=True)
def a_small_encoder(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(teacher, "load_encoder", small_encoder)
    monkeypatch.setattr(polyglot, "OF_MANY_LANGUAGES", _QUICK)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
    torch.use_deterministic_algorithms(False)


def rows(n: int, seed: int, language: str = "de", source: str = "germeval2018") -> Rows:
    comments, labels = made_up(n, seed)
    return Rows(comments, labels, np.ones(labels.shape), np.full(n, source), np.full(n, language))


def asked(of: Rows) -> np.ndarray:
    return opinions_on_languages(of, seed=1, progress=lambda _: None)


def test_comments_are_judged_by_a_teacher_that_did_not_study_them() -> None:
    studied = rows(240, seed=0)
    found = asked(studied)
    for k in (1, 5):
        assert found[studied.labels[:, k] == 1, k].min() > found[studied.labels[:, k] == 0, k].max()
    # One whose label was the opposite is judged all the same: what it said of itself was not learnt.
    studied.labels[7] = 1 - studied.labels[7]
    again = asked(studied)
    assert again[7, 1] == found[7, 1]


def test_english_and_blogs_are_not_asked_about_but_for_emoji() -> None:
    studied = rows(80, seed=0)
    sources = ["wiki"] * 20 + ["hatemoji-build"] * 20 + ["blog_lrem_weak"] * 10 + ["germeval2018"] * 30
    studied.languages[:40] = "en"
    found = np.isnan(asked(dataclasses.replace(studied, sources=np.array(sources)))[:, 1])
    assert found.tolist() == [True] * 20 + [False] * 20 + [True] * 10 + [False] * 30


def test_it_has_no_opinion_on_spam() -> None:
    assert np.isnan(asked(rows(40, seed=0))[:, 0]).all()


def test_categories_without_a_label_in_a_language_are_learnt_from_english(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(polyglot, "_STUDIED", {"wiki": 1.0})
    german, english = rows(60, seed=0), rows(200, seed=1, language="en", source="wiki")
    labels = np.concatenate([german.labels, english.labels])
    labels[:60, 5] = np.nan
    both = Rows(
        [*german.comments, *english.comments],
        labels,
        np.ones(labels.shape),
        np.concatenate([german.sources, english.sources]),
        np.concatenate([german.languages, english.languages]),
    )
    found = asked(both)[:60, 5]
    assert found[german.labels[:, 5] == 1].min() > found[german.labels[:, 5] == 0].max()


def test_the_same_rows_and_seed_give_the_same_opinions() -> None:
    assert np.array_equal(asked(rows(60, seed=0)), asked(rows(60, seed=0)), equal_nan=True)


def test_it_is_shown_upper_case_and_the_names_of_emoji_but_neither_names_nor_addresses() -> None:
    shown = read_as_written("@jane_d DU bist 👍🏽️ https://pics.example/a?b www.x.example/1  a@b.example")
    assert shown == "@user DU bist 👍 thumbs up sign 🏽 skin tone-4 http http a@b.example"
