"""The teacher of the network, on an encoder small enough for a test. Needs PyTorch (`make train`)."""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from made_up_comments import made_up

pytest.importorskip("torch", reason="no PyTorch (make train installs it): the teacher is not tested")
pytest.importorskip("transformers", reason="no transformers (make train installs it)")

import torch
from transformers import BertConfig, BertModel

from classifier import teacher
from classifier.dataset import Rows
from classifier.encoders import ENCODERS
from classifier.teacher import opinions

_WORDS, _PADDING = 512, 0
_QUICK = dataclasses.replace(ENCODERS["small"], rate=3e-3, rounds=6, batch=16)


@pytest.fixture(autouse=True)
def a_small_encoder(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One layer that knows nothing, and word numbers instead of a tokenizer."""
    known: dict[str, int] = {}

    def encode(texts: Sequence[str]) -> list[list[int]]:
        return [[1, *(known.setdefault(word, 2 + len(known)) for word in text.split())] for text in texts]

    def encoder(_: object) -> tuple[BertModel, object, int]:
        sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
        return BertModel(BertConfig(vocab_size=_WORDS, **sizes), add_pooling_layer=False), encode, _PADDING

    monkeypatch.setattr(teacher, "load_encoder", encoder)
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
