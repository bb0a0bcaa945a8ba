"""The teacher of the network, on an encoder small enough for a test. Needs PyTorch (`make train`)."""

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest
from made_up_comments import made_up

pytest.importorskip("torch", reason="no PyTorch (make train installs it): the teacher is not tested")
pytest.importorskip("transformers", reason="no transformers (make train installs it)")

import torch
from small_encoder import small_encoder

from classifier import teacher
from classifier.dataset import Rows
from classifier.encoders import ENCODERS
from classifier.teacher import opinions

_QUICK = dataclasses.replace(ENCODERS["small"], rate=3e-3, rounds=6, batch=16)


@pytest.fixture(autouse=True)
def a_small_encoder(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(teacher, "load_encoder", small_encoder)
    monkeypatch.setitem(teacher.ENCODERS, "small", _QUICK)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
    torch.use_deterministic_algorithms(False)


def rows(n: int, seed: int, language: str = "en") -> Rows:
    comments, labels = made_up(n, seed)
    return Rows(comments, labels, np.ones(labels.shape), np.full(n, "wiki"), np.full(n, language))


def asked(of: Rows, more: Rows) -> np.ndarray:
    return opinions(of, more, seed=1, progress=lambda _: None)


def test_a_teacher_judges_comments_that_nobody_labelled_as_people_labelled_others() -> None:
    studied, more = rows(240, seed=0), rows(60, seed=1)
    found = asked(studied, more)[len(studied) :]
    for k in (0, 1, 5):
        assert found[more.labels[:, k] == 1, k].min() > found[more.labels[:, k] == 0, k].max()


def test_it_is_not_asked_of_a_language_that_it_does_not_read() -> None:
    studied = rows(60, seed=0)
    studied.languages[:20] = "de"
    found = asked(studied, rows(3, seed=1))
    assert np.isnan(found[:20]).all() and not np.isnan(found[20:]).any()


def test_it_is_asked_of_a_part_of_a_large_source_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teacher, "_ASKED", {"wiki": 15})
    found = asked(rows(60, seed=0), rows(3, seed=1))[:60]
    assert np.isnan(found).all(axis=1).sum() == 45


def test_the_same_rows_and_seed_give_the_same_opinions() -> None:
    first, again = (asked(rows(60, seed=0), rows(9, seed=1)) for _ in range(2))
    assert np.array_equal(first, again)


def test_labels_that_count_for_nothing_teach_nothing() -> None:
    studied = rows(120, seed=0)
    wrong = dataclasses.replace(studied, labels=1 - studied.labels, label_weights=np.zeros((120, 7)))
    right = dataclasses.replace(studied, label_weights=np.ones((120, 7)))
    both = [
        Rows(
            [*right.comments, *wrong.comments],
            np.concatenate([right.labels, other]),
            np.concatenate([right.label_weights, wrong.label_weights]),
            np.full(240, "wiki"),
            np.full(240, "en"),
        )
        for other in (wrong.labels, studied.labels)
    ]
    first, second = (asked(one, rows(9, seed=1)) for one in both)
    assert np.array_equal(first, second)
