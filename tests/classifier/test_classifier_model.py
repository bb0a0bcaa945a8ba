"""Scoring and explaining with a small model."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_comments import made_up, small_pipeline

from classifier import CATEGORIES, Classifier
from classifier.facts import facts_of
from classifier.features import CommentFeatures
from classifier.model import ModelError, card_bytes, from_bytes, load, model_bytes
from classifier.text import normalise


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


@settings(deadline=None, max_examples=40)
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
    assert body[strongest.start : strongest.end] in {"CASIN\u200bO", "bonus"}


def test_span_weights_add_up_to_the_logit_without_intercept_and_facts(small: Classifier) -> None:
    comment = {"body": "You stupid idiot, read http://shop.example/deal and read again"}
    features, heads = small.pipeline[0], small.pipeline[-1]
    row = features.transform([comment])
    facts = row[:, features.text_columns :] @ heads.coef_[features.text_columns :]
    expected = small.logits([comment])[0] - heads.intercept_ - facts[0]
    spans = small.explain([comment], limit=10_000)[0]
    sums = [sum(span.weight for span in spans if span.category == category) for category in CATEGORIES]
    assert np.allclose(sums, expected, atol=1e-4)


def test_spans_come_strongest_first_and_no_more_than_asked(small: Classifier) -> None:
    spans = small.explain([{"body": "casino bonus you idiot"}], limit=4)[0]
    assert len(spans) == 4
    assert [abs(span.weight) for span in spans] == sorted((abs(span.weight) for span in spans), reverse=True)


def test_the_same_seed_gives_the_same_bytes(small: Classifier) -> None:
    again = Classifier(small_pipeline(), small.card)
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


def test_a_title_in_the_body_is_a_fact_only_when_there_is_a_title() -> None:
    body = normalise("python generators are lazy")
    assert "topic_2" in facts_of({"thread": {"title": "Python generators"}}, body)
    assert not [fact for fact in facts_of({}, body) if fact.startswith("topic")]


def test_features_of_a_comment_are_rows_of_length_one_per_block() -> None:
    features = CommentFeatures()
    row = features.transform([{"body": "read the the manual"}]).toarray()[0]
    words = row[: 1 << features.word_bits]
    assert np.isclose(np.linalg.norm(words), 1) and np.isclose(
        np.linalg.norm(row[: features.text_columns]), 2**0.5
    )
