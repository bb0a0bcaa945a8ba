"""Training the network. Needs PyTorch: `make train` installs it, `make test` does not."""

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest
from made_up_comments import made_up

pytest.importorskip("torch", reason="no PyTorch (make train installs it): training is not tested")

import torch

from classifier import Classifier
from classifier.corpus import Batches, read_corpus
from classifier.dataset import Rows
from classifier.network import Network, Weights, pack
from classifier.student import Plan, Student, _epochs, aims, exported, fit_network
from classifier.training import _opinions, calibrated

PLAN = Plan(table_bits=12, pair_bits=10, inward=8, windows=8, hidden=8, epochs=6, batch=32, rate=0.02)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
    torch.use_deterministic_algorithms(False)


def rows(n: int = 400, seed: int = 0) -> Rows:
    comments, labels = made_up(n, seed)
    weights = np.ones((n, labels.shape[1]))
    return Rows(comments, labels, weights, np.full(n, "wiki made up"), np.full(n, "en"))


def learnt(teacher: np.ndarray | None = None, labels: Rows | None = None) -> Weights:
    return fit_network(labels or rows(), teacher, PLAN, progress=lambda _: None)


def test_the_network_scores_as_the_student_that_learnt_it() -> None:
    torch.manual_seed(3)
    student = Student(PLAN).eval()
    for table in (student.direct, student.pairs, student.facts):
        torch.nn.init.normal_(table.weight, std=0.3)
    labelled = rows(50, seed=5)
    corpus = read_corpus(labelled, seed=0)
    batch = Batches(corpus.words, PLAN.table_bits, PLAN.pair_bits).of(
        corpus.bodies, corpus.facts, corpus.names, corpus.addresses
    )
    with torch.no_grad():
        expected = student(batch).numpy()
    found = Classifier(Network(exported(student)), {"version": "x"}).logits(labelled.comments)
    assert np.abs(found - expected).max() < 0.05 < expected.std()  # eight bits a number


def test_it_learns_what_the_labels_say() -> None:
    unseen = rows(90, seed=9)
    scores = Classifier(Network(learnt()), {"version": "x"}).score(unseen.comments)
    for k in (0, 1, 5):
        assert scores[unseen.labels[:, k] == 1, k].min() > scores[unseen.labels[:, k] == 0, k].max()


def test_the_same_rows_and_seed_give_the_same_weights() -> None:
    first, again = pack(learnt()), pack(learnt())
    assert all(np.array_equal(first[name], again[name]) for name in first)


def test_a_teacher_speaks_for_categories_that_nobody_labelled() -> None:
    labelled = rows()
    teacher = np.full(labelled.labels.shape, np.nan, np.float32)
    teacher[:, 4] = np.where(labelled.labels[:, 1] == 1, 4.0, -4.0)
    targets, weights = aims(labelled, teacher, share=0.5)
    assert weights[:, 4].all() and not weights[:, 3].any()
    assert np.isclose(targets[labelled.labels[:, 1] == 1, 4], 1 / (1 + np.exp(-4.0))).all()
    scores = Classifier(Network(learnt(teacher)), {"version": "x"}).score(labelled.comments)[:, 4]
    assert scores[labelled.labels[:, 1] == 1].min() > scores[labelled.labels[:, 1] == 0].max()


def test_calibration_changes_probabilities_and_not_their_order() -> None:
    weights, held = learnt(), rows(200, seed=4)
    held = dataclasses.replace(held, sources=np.full(200, "wiki-context CAT"))
    before, after = (
        Classifier(Network(w), {"version": "x"}).logits(held.comments)[:, 1]
        for w in (weights, calibrated(weights, held, rows(200, seed=5)))
    )
    assert np.array_equal(np.argsort(before, kind="stable"), np.argsort(after, kind="stable"))
    assert not np.allclose(before, after)


def test_spam_is_calibrated_on_blogs_that_were_not_learnt_and_nothing_else_is() -> None:
    weights, held, blogs = learnt(), rows(200, seed=4), rows(200, seed=5)
    held = dataclasses.replace(held, sources=np.full(200, "wiki-context CAT"))
    blogs = dataclasses.replace(blogs, sources=np.full(200, "blog elsewhere"))
    doubted = dataclasses.replace(blogs, labels=blogs.labels.copy())
    doubted.labels[:40] = 1 - doubted.labels[:40]
    sure, doubting = calibrated(weights, held, blogs), calibrated(weights, held, doubted)
    assert doubting.slope[0] < sure.slope[0]
    assert np.array_equal(doubting.slope[1:], sure.slope[1:])
    assert np.array_equal(doubting.shift[1:], sure.shift[1:])


def test_each_epoch_shows_every_labelled_row_and_in_turn_a_share_of_the_others() -> None:
    labelled = np.arange(100) < 40
    corpus = read_corpus(rows(100), seed=0)
    plan = dataclasses.replace(PLAN, epochs=4, unlabelled=0.5)
    epochs = [
        np.concatenate(epoch)
        for epoch in _epochs(np.ones(100, np.bool_), labelled, corpus, np.random.default_rng(0), plan)
    ]
    assert all(set(range(40)) <= set(epoch.tolist()) and len(epoch) == 70 for epoch in epochs)
    shown = np.bincount(np.concatenate(epochs), minlength=100)
    assert (shown[40:] == 2).all() and (shown[:40] == 4).all()


def test_two_teachers_answer_each_where_the_other_was_not_asked_and_else_by_their_mean(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("transformers", reason="no transformers (make train installs it)")
    of_english, of_languages = np.full((5, 7), np.nan, np.float32), np.full((5, 7), 2.0, np.float32)
    of_english[:3], of_languages[:2], of_languages[:, 0] = 1.0, np.nan, np.nan
    monkeypatch.setattr("classifier.teacher.opinions", lambda *_: of_english)
    monkeypatch.setattr("classifier.polyglot.opinions_on_languages", lambda *_: of_languages)
    found = _opinions(rows(3), rows(2), np.arange(2), None, 0, "small", print)
    assert (found[:2] == 1).all() and (found[2, 1:] == 1.5).all() and (found[3:, 1:] == 2).all()
    assert found[2, 0] == 1 and np.isnan(found[3:, 0]).all()
