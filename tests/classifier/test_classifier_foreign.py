"""Texts in other languages than English: told apart, and read by a network of their own besides."""

from pathlib import Path

import numpy as np
import pytest
from made_up_comments import made_up, small_network

from classifier import CATEGORIES, Classifier
from classifier.dataset import Rows
from classifier.explanation import attribute
from classifier.foreign import fit_foreign
from classifier.model import card_bytes, from_bytes, model_bytes
from classifier.network import Abroad, Network

GERMAN = (
    "du blöder Idiot, lies das noch einmal über",
    "danke, sehr schöne Bilder von",
    "das stimmt nicht, weil",
)
THINGS = ("Musik", "Züge", "Brot", "Frühling", "Bücher", "Straßen")


LABELLED = [1, 5]


def german(n: int) -> list[dict[str, object]]:
    return [{"body": f"{GERMAN[i % 3]} {THINGS[i % 6]} und {THINGS[i * 5 % 6]}"} for i in range(n)]


def of_two_languages(n: int) -> Rows:
    english, _ = made_up(n)
    comments = english + german(n)
    unknown = np.full((2 * n, len(CATEGORIES)), np.nan)
    languages = np.repeat(["en", "de"], n)
    return Rows(comments, unknown, np.ones_like(unknown), np.full(2 * n, "wiki made up"), languages)


@pytest.fixture(scope="module")
def model() -> Classifier:
    english = small_network()
    told = fit_foreign(of_two_languages(60), english.weights.table_bits, seed=0)
    abroad = Abroad(small_network(seed=7).weights, np.array(LABELLED), *told)
    return Classifier(Network(english.weights, abroad), {"version": "of two networks"})


def alone(model: Classifier, *, abroad: bool) -> Classifier:
    weights = model.network.abroad.weights if abroad and model.network.abroad else model.network.weights
    return Classifier(Network(weights), model.card)


def test_texts_in_another_language_are_told_from_english_ones(model: Classifier) -> None:
    english, _ = made_up(40, seed=9)
    assert model.network.read(english + german(40)).abroad.tolist() == list(range(40, 80))


def test_they_get_the_mean_of_both_networks_where_those_languages_have_labels(model: Classifier) -> None:
    here, there = (alone(model, abroad=abroad).logits(german(12)) for abroad in (False, True))
    found = model.logits(german(12))
    assert not np.allclose(here[:, LABELLED], there[:, LABELLED], atol=1e-3)
    assert np.allclose(found[:, LABELLED], (here[:, LABELLED] + there[:, LABELLED]) / 2, atol=1e-6)
    others = [k for k in range(len(CATEGORIES)) if k not in LABELLED]
    assert np.array_equal(found[:, others], here[:, others])


def test_english_texts_are_scored_as_without_the_other_network(model: Classifier) -> None:
    english, _ = made_up(40, seed=9)
    assert np.array_equal(model.logits(english), alone(model, abroad=False).logits(english))


def test_neighbours_in_another_language_change_nothing(model: Classifier) -> None:
    comments = [comment for pair in zip(made_up(30)[0], german(30), strict=True) for comment in pair]
    apart = np.concatenate([model.logits([comment]) for comment in comments])
    assert np.array_equal(model.logits(comments), apart)


@pytest.mark.parametrize("times", [1, 40])
def test_what_pieces_add_and_the_rest_are_the_logits_there_too(model: Classifier, times: int) -> None:
    body = " ".join([GERMAN[0], *GERMAN[1:]] * times)
    found = attribute(model.network, None, {"body": body})
    assert np.allclose(found.weights.sum(axis=0) + found.rest, model.logits([{"body": body}])[0], atol=1e-4)


def test_a_model_file_keeps_both_networks(model: Classifier, tmp_path: Path) -> None:
    again = from_bytes(tmp_path, model_bytes(model), card_bytes(model.card))
    comments = german(6) + made_up(6)[0]
    assert np.array_equal(again.logits(comments), model.logits(comments))
    assert model_bytes(again) == model_bytes(model)
