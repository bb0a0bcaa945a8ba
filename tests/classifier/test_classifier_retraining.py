"""A challenger is the base plus one correction, and a few labels hurt nothing."""

import numpy as np
from made_up_comments import examples, made_up, newsletters

from classifier import CATEGORIES, Classifier
from classifier.model import card_bytes, from_bytes, model_bytes
from classifier.retraining import Example, fit_challenger


def test_no_labels_change_nothing(small: Classifier) -> None:
    comments, _ = made_up(30, seed=4)
    challenger = fit_challenger(small, [], version="c-0")
    assert np.array_equal(challenger.score(comments), small.score(comments))


def test_five_labels_change_nothing(small: Classifier) -> None:
    comments, _ = made_up(30, seed=4)
    challenger = fit_challenger(small, newsletters(5, seed=0), version="c-5")
    assert np.array_equal(challenger.score(comments), small.score(comments))


def test_categories_without_labels_stay_as_they_are(small: Classifier) -> None:
    comments, _ = made_up(30, seed=4)
    challenger = fit_challenger(small, newsletters(200, seed=0), version="c-1")
    assert not np.array_equal(challenger.score(comments)[:, 0], small.score(comments)[:, 0])
    assert np.array_equal(challenger.score(comments)[:, 1:], small.score(comments)[:, 1:])


def test_corrections_do_not_pile_up(small: Classifier) -> None:
    first = fit_challenger(small, newsletters(100, seed=0), version="c-1")
    later = newsletters(200, seed=7)
    comments = [example.comment for example in later]
    from_first = fit_challenger(first, later, version="c-2")
    from_base = fit_challenger(small, later, version="c-2")
    assert np.array_equal(from_first.score(comments), from_base.score(comments))
    assert from_first.card["parent"] == "c-1" and from_first.card["prior"] == "small-1"


def test_a_label_the_base_gets_right_leaves_it_alone(small: Classifier) -> None:
    challenger = fit_challenger(small, examples(30, seed=9), version="c-3")
    comments, _ = made_up(60, seed=10)
    assert np.abs(challenger.score(comments) - small.score(comments)).max() < 0.2


def test_weights_decide_between_contradicting_labels(small: Classifier) -> None:
    def contradicting(heavy: bool) -> list[Example]:
        return [
            Example({"body": "zebra crossing"}, {"spam": bool(i % 2)}, 9.0 if i % 2 == heavy else 1.0)
            for i in range(200)
        ]

    comment = [{"body": "zebra crossing"}]
    spam, ham = (
        fit_challenger(small, contradicting(heavy), version="c").score(comment)[0, 0]
        for heavy in (True, False)
    )
    assert spam > 0.7 > 0.3 > ham


def test_a_challenger_survives_saving_and_explains_itself(small: Classifier, tmp_path) -> None:  # type: ignore[no-untyped-def]
    challenger = fit_challenger(small, newsletters(200, seed=0), version="c-1")
    again = from_bytes(tmp_path, model_bytes(challenger), card_bytes(challenger.card))
    comments = [{"body": "knitting yarn"}]
    assert np.array_equal(again.score(comments), challenger.score(comments))
    assert again.explain(comments)[0][0].category == "spam"
    assert again.explain(comments)[0][0].weight > 0


def test_the_card_counts_labels_but_holds_no_text(small: Classifier) -> None:
    card = fit_challenger(small, newsletters(150, seed=0), version="c-1").card
    assert card["data"]["rows"] == 150 and set(card["strengths"]) == set(CATEGORIES)
    assert b"knitting" not in card_bytes(card)
