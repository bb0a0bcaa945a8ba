"""Training the network. Needs PyTorch: `make train` installs it, `make test` does not."""

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest
from made_up_comments import made_up

pytest.importorskip("torch", reason="no PyTorch (make train installs it): training is not tested")

import torch

from classifier import Classifier, student
from classifier.corpus import Batches, read_corpus, sizes_in
from classifier.dataset import Rows
from classifier.encoders import OF_MANY_LANGUAGES, Encoder
from classifier.network import STRETCH_LESS, Network, Weights, pack
from classifier.plan import Plan, abroad_plan, last_part
from classifier.student import (
    Student,
    _epochs,
    _shown,
    aims,
    exported,
    fit_network,
    mean_of,
    stretches_of,
    teacher_shares,
    with_made,
)
from classifier.text import LINK
from classifier.training import _opinions, calibrated, hold_bars, levelled

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
    for long in (7, 20):
        labelled.comments[long]["body"] = " ".join(c["body"] for c in labelled.comments[:30])
    corpus = read_corpus(labelled, seed=0)
    stretches = stretches_of(corpus.bodies, PLAN.stretch)
    assert {text for text, _ in stretches} == {7, 20}
    batch = Batches(corpus.words, PLAN.table_bits, PLAN.pair_bits).of(
        corpus.bodies, stretches, corpus.facts, corpus.names, corpus.addresses
    )
    with torch.no_grad():
        expected = student(batch).numpy()
    found = Classifier(Network(exported(student)), {"version": "x"}).logits(labelled.comments)
    far = np.abs(found - expected).max(axis=1)
    assert np.delete(far, [7, 20]).max() < 0.05 < expected.std()  # eight bits a number
    assert far.max() < 0.2  # the student does not see the words beside a stretch


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
    targets, weights = aims(labelled, teacher, np.full(len(labelled), 0.5))
    assert weights[:, 4].all() and not weights[:, 3].any()
    assert np.isclose(targets[labelled.labels[:, 1] == 1, 4], 1 / (1 + np.exp(-4.0))).all()
    scores = Classifier(Network(learnt(teacher)), {"version": "x"}).score(labelled.comments)[:, 4]
    assert scores[labelled.labels[:, 1] == 1].min() > scores[labelled.labels[:, 1] == 0].max()


def test_of_made_comments_no_teacher_says_anything() -> None:
    learnt_from, made = rows(4), rows(3, seed=1)
    both, opinions = with_made(learnt_from, np.zeros((4, 7), np.float32), made)
    assert opinions is not None and np.isnan(opinions[4:]).all() and not opinions[:4].any()
    assert [*both.comments] == [*learnt_from.comments, *made.comments]
    assert with_made(learnt_from, None, made)[1] is None


def test_comments_made_in_other_languages_are_learnt_with_and_without_the_english_ones() -> None:
    german = [{"body": f"{who} {what}"} for who in ("du", "er", "sie") for what in ("blödmann", "danke")] * 40
    labels = np.full((len(german), 7), np.nan)
    labels[:, 1] = ["blödmann" in comment["body"] for comment in german]
    abroad = Rows(german, labels, np.ones(labels.shape), np.full(240, "made: languages"), np.full(240, "de"))
    plan = dataclasses.replace(PLAN, epochs=1, last_epochs=6, last_rate=0.02)
    for made in (None, rows(100, seed=1)):
        weights = fit_network(rows(), None, plan, made, abroad, lambda _: None)
        scores = Classifier(Network(weights), {"version": "x"}).score(german)[:, 1]
        assert scores[labels[:, 1] == 1].min() > scores[labels[:, 1] == 0].max()


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


def test_the_last_epochs_go_on_from_the_first_ones() -> None:
    without = dataclasses.replace(PLAN, last_rate=0.0)
    first = pack(fit_network(rows(), None, without, progress=lambda _: None))
    change = np.abs(pack(learnt())["hidden"] - first["hidden"]).max()
    assert 0 < change < 0.3 * np.abs(first["hidden"]).max()


def test_learning_begins_with_what_an_encoder_knows_of_words_and_not_a_second_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str, tuple[int, int]]] = []

    def table(
        words: list[str], seen: np.ndarray, encoder: Encoder, sizes: tuple[int, int], *_: object
    ) -> np.ndarray:
        asked.append((encoder.name, sizes))
        assert seen[words.index("casino")] > 1 and seen[words.index(LINK)] == 0
        return np.full((1 << sizes[0], sizes[1]), 0.25, np.float32)

    monkeypatch.setattr(student, "first_table", table)
    still = dataclasses.replace(PLAN, epochs=1, rate=0.0, decay=0.0, last_rate=0.0)
    plan = dataclasses.replace(still, knows_words=True)
    weights = fit_network(rows(), None, plan, progress=lambda _: None)
    assert asked == [(OF_MANY_LANGUAGES.name, (12, 8))]
    assert np.allclose(weights.table[:, 9:] * weights.table_scale[9:], 0.25, atol=0.01)


def test_only_the_last_epochs_learn_from_made_comments() -> None:
    made = rows(200, seed=2)
    made.labels[:, 4] = made.labels[:, 1]
    first = dataclasses.replace(PLAN, last_epochs=0)
    without, before = (
        pack(fit_network(rows(), None, first, some, progress=lambda _: None)) for some in (None, made)
    )
    assert all(np.array_equal(without[name], before[name]) for name in without)
    plan = dataclasses.replace(PLAN, last_epochs=8, last_rate=PLAN.rate)
    after = fit_network(rows(), None, plan, made, progress=lambda _: None)
    scores = Classifier(Network(after), {"version": "x"}).score(made.comments)[:, 4]
    assert scores[made.labels[:, 4] == 1].mean() > scores[made.labels[:, 4] == 0].mean() + 0.1


def test_the_mean_of_two_students_is_half_way_between_them() -> None:
    one, other = Student(PLAN), Student(PLAN)
    mean = mean_of([one, other])
    assert torch.allclose(mean.window.weight, (one.window.weight + other.window.weight) / 2)
    assert not torch.allclose(one.window.weight, other.window.weight)


def test_only_the_last_epochs_learn_from_stretches() -> None:
    assert last_part(PLAN).by_stretches and not PLAN.by_stretches


def test_a_long_comment_learns_from_its_worst_stretch() -> None:
    labelled = rows(90, seed=5)
    long = {"body": " ".join(c["body"] for c in labelled.comments[:30])}
    corpus = read_corpus(dataclasses.replace(labelled, comments=[long] * 90), seed=0)
    student, bodies = Student(PLAN).eval(), corpus.bodies[:1]
    torch.nn.init.normal_(student.direct.weight, std=0.3)
    batches = Batches(corpus.words, PLAN.table_bits, PLAN.pair_bits)
    context = ([[]], [[]], [[]])
    with torch.no_grad():
        whole = student(batches.of(bodies, [], *context))
        parts = [student(batches.of([words], [], *context)) for _, words in stretches_of(bodies, 60)]
        judged = student(batches.of(bodies, stretches_of(bodies, 60), *context))
    assert torch.allclose(
        judged, torch.cat([whole, *(part - STRETCH_LESS for part in parts)]).amax(0), atol=1e-5
    )


def test_a_padded_comment_is_as_long_as_what_is_shown() -> None:
    corpus, plan = read_corpus(rows(60), seed=0), last_part(dataclasses.replace(PLAN, last_padded=1.0))
    body, facts, _, _ = _shown(corpus, 0, True, np.arange(60), np.random.default_rng(0), plan)
    assert len(body) > len(corpus.bodies[0])
    assert facts[:2] == sizes_in(body) != corpus.facts[0][:2]


def test_a_comment_in_another_language_is_shown_as_it_is() -> None:
    some = rows(60)
    some.comments[0]["body"] = "man ist hier alt"
    some.languages[0] = "de"
    corpus = read_corpus(some, seed=0)
    plan = dataclasses.replace(PLAN, padded=1.0, disguised=0.5, other_terms=0.5)
    for seed in range(20):
        body, _, _, _ = _shown(corpus, 0, False, np.arange(60), np.random.default_rng(seed), plan)
        assert [corpus.words[word] for word in body] == ["man", "ist", "hier", "alt"]


def test_a_share_of_the_disguised_copies_has_slips_of_the_keys_alone() -> None:
    some = rows(60)
    slips, ways = read_corpus(some, seed=0, mistyped_share=1.0), read_corpus(some, seed=0)
    signs = [sum("*" in word for word in corpus.words) for corpus in (slips, ways)]
    assert signs[0] == 0 < signs[1]
    assert slips.disguised != slips.bodies


def test_two_teachers_answer_each_where_the_other_was_not_asked_and_else_by_their_mean(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("transformers", reason="no transformers (make train installs it)")
    of_english, of_languages = np.full((5, 7), np.nan, np.float32), np.full((4, 7), 2.0, np.float32)
    of_english[[0, 1, 2, 4]], of_languages[:2], of_languages[:, 0] = 1.0, np.nan, np.nan
    monkeypatch.setattr("classifier.training.require", lambda *_: None)
    monkeypatch.setattr("classifier.teacher.opinions", lambda *_: of_english)
    monkeypatch.setattr("classifier.polyglot.opinions_on_languages", lambda *_: of_languages)
    found = _opinions(rows(4), rows(1), None, 0, "small", print)
    assert (found[[0, 1, 4]] == 1).all() and (found[2, 1:] == 1.5).all() and (found[3, 1:] == 2).all()
    assert found[2, 0] == 1 and np.isnan(found[3, 0])


def test_the_network_for_other_languages_scores_at_the_level_of_the_english_one() -> None:
    labelled, unseen = rows(200, seed=1), rows(90, seed=2)
    english = Network(learnt())
    own, labelled_here = learnt(labels=labelled), np.array([1, 5])
    other = levelled(own, english, unseen, labelled_here, np.full((7, 2), np.nan))
    found, aim = (
        Classifier(network, {"version": "x"}).logits(unseen.comments) for network in (Network(other), english)
    )
    for measure in (np.mean, np.std):
        assert np.allclose(
            measure(found, axis=0)[labelled_here], measure(aim, axis=0)[labelled_here], atol=0.01
        )
    assert other.slope[0] == own.slope[0]


def test_in_other_languages_as_many_fine_comments_are_held_as_in_english() -> None:
    held, bars = rows(400, seed=2), np.full((7, 2), np.nan)
    english, own = Network(learnt()), learnt(labels=rows(200, seed=1))
    bars[[1, 5]] = (-2.0, 0.1), (1.0, 0.001)
    other = Network(levelled(own, english, held, np.array([1, 5]), bars))
    both = np.mean(
        [Classifier(net, {"version": "x"}).logits(held.comments) for net in (english, other)], axis=0
    )
    fine = held.labels[:, 1] == 0
    assert (both[fine, 1] >= -2.0).mean() == pytest.approx(0.1, abs=0.02)
    # A share too small to tell by so few is taken for a larger one.
    insults = held.labels[:, 5] == 0
    assert (both[insults, 5] >= 1.0).mean() == pytest.approx(0.01, abs=0.008)


def test_how_many_fine_comments_are_held_is_told_from_the_mix_a_blog_sees() -> None:
    dev = dataclasses.replace(rows(300, seed=3), sources=np.full(300, "wiki-context CAT"))
    bar, share = hold_bars(Network(learnt()), dev)[1]
    scores = Classifier(Network(learnt()), {"version": "x"}).logits(dev.comments)[:, 1]
    assert share == pytest.approx((scores[dev.labels[:, 1] == 0] >= bar).mean())


def test_opinions_on_other_languages_count_less_than_those_on_english() -> None:
    some = rows(40)
    some.languages[::2] = "de"
    plan = dataclasses.replace(PLAN, teacher_share=1.0, foreign_share=0.0)
    shares = teacher_shares(some, plan)
    assert shares.tolist() == [0.0, 1.0] * 20
    assert abroad_plan(Plan(), knows_words=False).foreign_share < Plan().foreign_share < Plan().teacher_share
