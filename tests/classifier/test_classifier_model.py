"""Scoring and explaining with a small model."""

import subprocess
import sys
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_comments import made_up, newsletters, small_network

from classifier import CATEGORIES, Classifier, vocabulary
from classifier.explanation import attribute
from classifier.facts import about, numbers_of, sizes_of
from classifier.hashing import hash_words, pair_columns, word_columns
from classifier.model import ModelError, card_bytes, from_bytes, load, model_bytes
from classifier.network import STRETCH_LESS, Network
from classifier.retraining import fit_challenger


def test_no_comments_give_an_empty_array(small: Classifier) -> None:
    scores = small.score([])
    assert scores.shape == (0, len(CATEGORIES)) and scores.dtype == np.float32


def test_adverts_score_higher_than_remarks(small: Classifier) -> None:
    advert, remark = small.score(
        [{"body": "cheap casino bonus, click here"}, {"body": "thanks, lovely photos"}]
    )
    assert advert[0] > 0.5 > remark[0]


def test_a_label_nobody_gave_teaches_nothing(small: Classifier) -> None:
    scores = small.score([{"body": "casino"}, {"body": "thanks"}])
    assert np.ptp(scores[:, CATEGORIES.index("threat")]) == 0


@pytest.mark.parametrize(
    "context",
    [
        {"author": None, "thread": None},
        {"author": {}, "thread": {}},
        {"author": {"name": None, "url": "", "email": None}, "thread": {"title": None}},
    ],
)
def test_missing_none_and_empty_context_are_the_same(small: Classifier, context: dict[str, object]) -> None:
    bare, other = small.score([{"body": "casino bonus"}, {"body": "casino bonus", **context}])
    assert np.array_equal(bare, other)


@pytest.mark.parametrize("body", ["", " ", "!!!", "\u200b", "\ud800", "a" * 20_000, "😀", "안녕하세요"])
def test_any_body_gets_probabilities(small: Classifier, body: str) -> None:
    scores = small.score([{"body": body}])
    assert np.isfinite(scores).all() and (scores >= 0).all() and (scores <= 1).all()


def test_author_facts_say_nothing_about_toxicity(small: Classifier) -> None:
    plain, named = small.score([{"body": "hello"}, {"body": "hello", "author": {"name": "Cheap Loans"}}])
    assert plain[0] != named[0]
    assert np.array_equal(plain[1:], named[1:])


def test_a_score_does_not_depend_on_its_neighbours(small: Classifier) -> None:
    comments, _ = made_up(1100, seed=3)
    together = small.score(comments)
    assert np.array_equal(together[[7, 600, 1099]], small.score([comments[7], comments[600], comments[1099]]))
    assert np.array_equal(together[7], small.score([comments[7]])[0])


def test_a_score_does_not_depend_on_how_long_its_neighbours_are(small: Classifier) -> None:
    words = [f"word{i}" for i in range(40)] + ["http://shop.example/deal", "idiot", "casino"]
    comments = [{"body": " ".join((words * 20)[i : i + 1 + i * i % 600])} for i in range(120)]
    together = small.logits(comments)
    assert np.array_equal(together, np.concatenate([small.logits([comment]) for comment in comments]))
    assert np.array_equal(together[::-1], small.logits(comments[::-1]))


def test_how_many_links_and_words_there_are_counts_for_spam_alone(small: Classifier) -> None:
    facts = small.network.weights.facts
    without = Classifier(Network(replace(small.network.weights, facts=np.zeros_like(facts))), small.card)
    comments = [
        {"body": "a http://b.example me@c.example"},
        {"body": "word"},
        {"body": "http://d.example " * 300},
    ]
    numbers = [sizes_of(np.array([n]), np.array([m])) for n, m in ((2, 7), (0, 1), (300, 900))]
    expected = [float(facts[by_links[0]] + facts[by_length[0]]) for by_links, by_length in numbers]
    added = small.logits(comments) - without.logits(comments)
    assert np.allclose(added[:, 0], expected, atol=1e-5)
    assert not added[:, 1:].any()


@settings(max_examples=40)
@given(st.lists(st.text(max_size=40), max_size=4))
def test_every_text_is_scored_and_its_spans_lie_inside(small: Classifier, bodies: list[str]) -> None:
    comments = [{"body": body} for body in bodies]
    assert np.isfinite(small.score(comments)).all()
    for body, spans in zip(bodies, small.explain(comments), strict=True):
        assert all(0 <= span.start < span.end <= len(body) for span in spans)


def test_spans_point_at_the_words_as_typed(small: Classifier) -> None:
    body = "Thanks &amp; hello: CASIN\u200bO bonus"
    ((strongest, *_),) = small.explain([{"body": body}], limit=3)
    assert strongest.category == "spam"
    assert body[strongest.start : strongest.end] == "CASIN\u200bO bonus"


@pytest.mark.parametrize(
    "before", ["😀😀 ", "👩‍👩‍👧 ", "שלום ", "\u202eabc\u202c ", "𝔸𝔹ℂ ", "e\u0301 ", "\U000e0041\u200f "]
)
def test_spans_count_characters_whatever_comes_before_them(small: Classifier, before: str) -> None:
    body = before + "stupid idiot"
    spans = [span for span in small.explain([{"body": body}])[0] if span.category == "toxicity"]
    assert "stupid idiot" in {body[span.start : span.end] for span in spans}


def test_spans_point_at_words_that_have_no_space_around_them(small: Classifier) -> None:
    body = "谢谢你CASINO bonus分享"
    ((strongest, *_),) = small.explain([{"body": body}], limit=3)
    assert body[strongest.start : strongest.end] == "CASINO bonus"


AMONG_MUCH = " ".join(
    ["python reads the file"] * 12 + ["you stupid idiot, casino"] + ["and prints a list"] * 12
)


@pytest.mark.parametrize(
    "body", ["You stupid idiot, read http://shop.example/deal and read again", AMONG_MUCH, "idiot " * 100]
)
def test_what_pieces_add_and_the_rest_are_the_logits(small: Classifier, body: str) -> None:
    challenger = fit_challenger(small, newsletters(200, seed=0), version="c-1")
    older = Classifier(small_network(older=True), small.card)
    for model in (small, challenger, older):
        found = attribute(model.network, model.correction, {"body": body})
        assert np.allclose(
            found.weights.sum(axis=0) + found.rest, model.logits([{"body": body}])[0], atol=1e-4
        )


def test_a_rest_without_biases_and_facts_is_nothing(small: Classifier) -> None:
    w = small.network.weights
    zero = {name: np.zeros_like(getattr(w, name)) for name in ("window_bias", "hidden_bias", "bias", "facts")}
    found = attribute(Network(replace(w, **zero)), None, {"body": "you stupid idiot, read this casino"})
    assert np.abs(found.rest).max() < 1e-5 < np.abs(found.weights).max()


def test_an_insult_among_much_else_counts_as_in_a_comment_of_its_own(small: Classifier) -> None:
    weights = small.network.weights
    whole = Classifier(Network(replace(weights, stretch=0)), small.card)
    among, alone = {"body": AMONG_MUCH}, {"body": "you stupid idiot, casino and prints a list"}
    for k in (0, 1):
        read_as_a_whole, in_stretches = (model.logits([among])[0, k] for model in (whole, small))
        assert read_as_a_whole < in_stretches <= small.logits([alone])[0, k] + 1
    strongest = small.explain([among])[0][0]
    assert AMONG_MUCH[strongest.start : strongest.end] in "you stupid idiot, casino"


def test_a_stretch_counts_only_where_it_says_clearly_what_it_says(small: Classifier) -> None:
    among = {"body": AMONG_MUCH}

    def logits(**changes: Any) -> np.ndarray:
        network = Network(replace(small.network.weights, **changes))
        found = attribute(network, None, among)
        total = Classifier(network, small.card).logits([among])[0]
        assert np.allclose(found.weights.sum(axis=0) + found.rest, total, atol=1e-4)
        return total

    whole, in_stretches = logits(stretch=0), logits()
    worst = np.full(len(CATEGORIES), -np.inf)
    worst[1] = in_stretches[1] + STRETCH_LESS
    assert whole[1] < in_stretches[1]
    assert logits(clear=worst - 0.01) == pytest.approx(in_stretches, abs=1e-4)
    assert logits(clear=worst + 0.01) == pytest.approx(
        [in_stretches[0], whole[1], *in_stretches[2:]], abs=1e-4
    )


def test_a_short_comment_has_no_stretches(small: Classifier) -> None:
    whole = Classifier(Network(replace(small.network.weights, stretch=0)), small.card)
    assert np.array_equal(small.logits([{"body": "word " * 90}]), whole.logits([{"body": "word " * 90}]))


def test_two_words_side_by_side_make_one_span(small: Classifier) -> None:
    spans = [
        s for s in small.explain([{"body": "python, stupid idiot, python"}])[0] if s.category == "toxicity"
    ]
    assert [(span.start, span.end) for span in spans] == [(8, 20)]


def test_spans_come_strongest_first_and_no_more_than_asked(small: Classifier) -> None:
    spans = small.explain([{"body": "casino bonus for you stupid idiot"}], limit=2)[0]
    assert len(spans) == 2
    assert spans[0].weight >= spans[1].weight > 0


def test_the_same_seed_gives_the_same_bytes(small: Classifier) -> None:
    again = Classifier(small_network(), small.card)
    assert model_bytes(again) == model_bytes(small)


def test_a_saved_model_scores_as_before(small: Classifier, tmp_path) -> None:  # type: ignore[no-untyped-def]
    again = from_bytes(tmp_path, model_bytes(small), card_bytes(small.card))
    comments, _ = made_up(30, seed=5)
    assert np.array_equal(again.score(comments), small.score(comments))
    assert again.version == "small-1"


def test_a_missing_folder_is_one_line_naming_the_file(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ModelError, match=r"nowhere/model\.joblib: cannot be read") as caught:
        load(tmp_path / "nowhere")
    assert "\n" not in str(caught.value)


def test_a_title_in_the_body_is_a_fact_only_when_there_is_a_title(small: Classifier) -> None:
    body, title = "python generators are lazy", {"thread": {"title": "Python generators"}}
    numbers = [numbers_of(about(comment), names=0, shared=2) for comment in ({"body": body, **title}, {})]
    assert numbers == [[22], []]
    bare, titled = small.logits([{"body": body}, {"body": body, **title}])
    assert np.isclose(titled[0] - bare[0], small.network.weights.facts[22], atol=1e-5)


def _column(text: str, salt: int, bits: int) -> int:
    """As `hashing` says, a text at a time."""
    base, most = 0x9E3779B97F4A7C15, (1 << 64) - 1
    found = sum((ord(letter) + 1) * pow(base, -i, 1 << 64) for i, letter in enumerate(text)) + salt & most
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
        found = (found ^ found >> shift) * factor & most
    return found >> 64 - bits


@given(st.lists(st.text(alphabet="abcdé", min_size=1, max_size=9), min_size=1, max_size=5))
def test_a_word_has_the_columns_of_itself_and_of_its_parts(words: list[str]) -> None:
    hashed = hash_words(words, 16)
    for i, word in enumerate(words):
        letters = unicodedata.normalize("NFD", word)
        padded, first = f" {letters} ", int(hashed.starts[i])
        places = [(at, at + n) for at in range(len(padded)) for n in range(2, 6) if at + n <= len(padded)]
        found = hashed.columns[first : first + hashed.counts[i]].tolist()
        assert found == [_column(padded[at:end], end - at + 2, 16) for at, end in places]
        assert hashed.own[i] == _column(letters, 1, 16)


def test_a_word_cut_in_two_is_found_as_a_pair() -> None:
    apart, whole = hash_words(["idi", "ot"], 16), hash_words(["idiot"], 16)
    assert pair_columns(apart.hashes, apart.steps, 16)[0] == word_columns(whole.hashes, 16)[0]


def test_forgetting_words_changes_no_score(small: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    comments, _ = made_up(40, seed=8)
    expected = small.score(comments)
    monkeypatch.setattr(vocabulary, "_MOST_WORDS", 3)
    assert np.array_equal(np.concatenate([small.score([comment]) for comment in comments]), expected)


def test_many_threads_read_the_same() -> None:
    model = Classifier(small_network(), {"version": "threads"})
    comments, _ = made_up(400, seed=11)
    expected = Classifier(small_network(), {"version": "alone"}).score(comments)
    with ThreadPoolExecutor(8) as pool:
        parts = list(pool.map(lambda i: model.score(comments[i : i + 20]), range(0, 400, 20)))
    assert np.array_equal(np.concatenate(parts), expected)


def test_loading_and_scoring_import_no_scikit_learn(small: Classifier, tmp_path: Path) -> None:
    (tmp_path / "model.joblib").write_bytes(model_bytes(small))
    (tmp_path / "card.json").write_bytes(card_bytes(small.card))
    program = (
        "import sys; from pathlib import Path; from classifier import load; "
        "load(Path(sys.argv[1])).score([{'body': 'hi'}]); print('sklearn' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
