"""Whose labels a retraining run learns from: workers.retraining"""

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import numpy as np

from classifier import Classifier
from classifier.categories import CATEGORIES
from moderation.domain.settling import Taught
from moderation.domain.sources import Source, Teacher
from moderation.domain.training_set import LabelledText
from workers.retraining import examples_from

START = datetime(2026, 1, 1, tzinfo=UTC)


class Champion:
    """Takes what speaks of a casino for spam, more or less."""

    def score(self, comments: Sequence[Mapping[str, Any]]) -> Any:
        rng = np.random.default_rng(0)
        scores = rng.uniform(0, 0.4, size=(len(comments), len(CATEGORIES)))
        scores[:, 0] += [0.5 * ("casino" in comment["body"]) for comment in comments]
        return scores


CHAMPION = cast("Classifier", Champion())


def texts(count: int, moderator: str | None, *, first: int = 0, turned: bool = False) -> list[LabelledText]:
    """Every second one is spam; `turned` labels say the opposite."""
    made = []
    for n in range(first, first + count):
        words = ["".join(random.Random(n * 100 + k).choices("abcdefghij", k=6)) for k in range(20)]
        spam, at = n % 2 == 0, START + timedelta(minutes=n)
        body = " ".join([*words, "casino" if spam else "lamp"])
        source = Source.IMPORT if moderator is None else Source.MODERATOR
        taught = Taught("spam", spam != turned, Teacher(source, "site_1", moderator), False, at)
        made.append(LabelledText(f"sub_{n}", {"body": body}, f"c_{n}", (taught,)))
    return made


def test_who_says_the_opposite_of_all_others_is_left_out_and_named() -> None:
    given = [
        *texts(40, "mod_ann"),
        *texts(40, "mod_bob", first=40, turned=True),
        *texts(40, "mod_cid", first=80),
    ]
    made = examples_from(given, CHAMPION)
    assert made.figures["contrary_moderators"] == ["mod_bob"]
    assert {one.moderator_id for one in made.examples} == {"mod_ann", "mod_cid"}
    assert made.figures["texts"] == 80


def test_a_text_that_somebody_else_labelled_too_keeps_that_label() -> None:
    given = [*texts(40, "mod_ann"), *texts(40, "mod_bob", first=40, turned=True)]
    (other,) = texts(1, "mod_ann", first=40)
    given[40] = LabelledText("sub_40", given[40].comment, "c_40", (*given[40].taught, *other.taught))
    made = examples_from(given, CHAMPION)
    assert made.figures["contrary_moderators"] == ["mod_bob"]
    assert len(made.examples) == 41


def test_all_stay_where_nobody_contradicts_the_others() -> None:
    made = examples_from([*texts(40, "mod_ann"), *texts(40, "mod_bob", first=40)], CHAMPION)
    assert made.figures["contrary_moderators"] == []
    assert len(made.examples) == 80


def test_a_site_of_one_moderator_may_contradict_the_model() -> None:
    made = examples_from(texts(60, "mod_ann", turned=True), CHAMPION)
    assert made.figures["contrary_moderators"] == []
    assert len(made.examples) == 60


def test_a_few_odd_labels_are_no_reason() -> None:
    given = [*texts(60, "mod_ann"), *texts(8, "mod_bob", first=60, turned=True)]
    assert examples_from(given, CHAMPION).figures["contrary_moderators"] == []


def test_what_came_from_elsewhere_is_nobodys() -> None:
    given = [*texts(60, "mod_ann"), *texts(60, None, first=60, turned=True)]
    made = examples_from(given, CHAMPION)
    assert made.figures["contrary_moderators"] == []
    assert len(made.examples) == 120
