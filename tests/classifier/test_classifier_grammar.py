"""Comments made by a grammar: classifier.grammar"""

import random
import re

import numpy as np
import pytest

from classifier.categories import CATEGORIES
from classifier.grammar import (
    LANGUAGES,
    MADE,
    comments_of,
    made_abroad,
    made_comments,
    read_grammar,
    written,
)

GRAMMARS = pytest.mark.parametrize("name", [*MADE, *LANGUAGES])
MEMBERS = ("body", "author_name", "author_url", "thread_title")


@GRAMMARS
def test_every_part_that_is_named_exists_and_every_part_is_named(name: str) -> None:
    grammar = read_grammar(name)
    texts = [text for choices in grammar["parts"].values() for text in choices]
    texts += [text for kind in grammar["kind"] for member in MEMBERS for text in kind.get(member, [])]
    assert set(re.findall(r"\{(\w+)\}", " ".join(texts))) == set(grammar["parts"])


@GRAMMARS
def test_every_kind_says_what_is_so_and_how_often_it_comes(name: str) -> None:
    for kind in read_grammar(name)["kind"]:
        assert kind["share"] > 0 and kind["body"], kind["name"]
        assert set(kind["labels"]) <= set(CATEGORIES) and set(kind["labels"].values()) <= {0, 1}, kind["name"]
        assert set(kind) <= {"name", "share", "labels", *MEMBERS}, kind["name"]


@GRAMMARS
def test_what_a_grammar_teaches_it_shows_with_its_opposite(name: str) -> None:
    labels = comments_of(name, 5_000, seed=0).labels
    for k, category in enumerate(CATEGORIES):
        found = labels[:, k][~np.isnan(labels[:, k])]
        if found.any():
            assert 0.02 < found.mean() < 0.7, category


@GRAMMARS
def test_nearly_all_comments_differ_and_no_braces_are_left(name: str) -> None:
    rows = comments_of(name, 5_000, seed=0)
    texts = [str(comment) for comment in rows.comments]
    assert len(set(texts)) == len(texts) > 4_300
    assert not any(
        re.search(r"[{}]", comment["body"] + comment["author"]["name"]) for comment in rows.comments
    )
    assert all(comment["body"].strip() for comment in rows.comments)


def test_what_a_kind_does_not_name_is_unknown() -> None:
    labels = comments_of("spam", 500, seed=0).labels
    assert not np.isnan(labels[:, 0]).any()
    assert np.isnan(labels[:, CATEGORIES.index("threat")]).all()


def test_the_same_seed_gives_the_same() -> None:
    first, again, other = (comments_of("speech", 300, seed) for seed in (1, 1, 2))
    assert first.comments == again.comments != other.comments


def test_a_share_of_them_has_comments_of_every_grammar() -> None:
    rows = made_comments(seed=0, share=0.01)
    assert {str(source) for source in rows.sources} == {f"made: {name}" for name in MADE}
    assert 950 < len(rows) <= sum(MADE.values()) // 100
    assert not rows.licences


def test_of_every_language_there_are_comments_of_all_kinds_and_they_say_which_it_is() -> None:
    rows = made_abroad(seed=0, share=0.1)
    assert {*rows.languages} == {*LANGUAGES}
    assert {*rows.sources} == {"made: languages"}
    for language in LANGUAGES:
        labels = rows.labels[rows.languages == language]
        for category in ("spam", "toxicity", "threat", "insult", "identity_attack"):
            found = labels[:, CATEGORIES.index(category)]
            assert {*found[~np.isnan(found)]} == {0.0, 1.0}, (language, category)


@pytest.mark.parametrize(("language", "found"), [("en", "Ada and I. Érable"), ("pl", "Ada and i. Érable")])
def test_a_lone_i_is_a_capital_in_english_alone(language: str, found: str) -> None:
    draws = {written("ada and i. érable", random.Random(seed), language) for seed in range(40)}
    assert found in draws
