"""Imprints: what changes nothing about them, and what they tell of the likeness of two texts."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from moderation.domain.likeness import MOST_NUMBERS, imprint_of, keys_of, packed, similarity, unpacked
from moderation.domain.links import domains_in
from moderation.scoring import words_of

words = st.lists(st.sampled_from([f"word{n}" for n in range(60)]), max_size=150)
imprints = words.map(imprint_of)
# Letters that no reading of a text takes for others.
plain_words = st.lists(st.text("bcdfhjkmnpqrtuvwxyz", min_size=2, max_size=9), min_size=2, max_size=40)


def pairs(of: Sequence[str]) -> set[frozenset[str]]:
    return {frozenset(pair) for pair in pairwise(of) if pair[0] != pair[1]}


@given(words)
def test_the_order_in_which_the_words_are_read_changes_nothing(read: list[str]) -> None:
    assert imprint_of(read) == imprint_of(read[::-1])


@given(words)
def test_an_imprint_is_small_and_sorted_and_has_a_number_for_each_pair(read: list[str]) -> None:
    imprint = imprint_of(read)
    assert list(imprint) == sorted(set(imprint))
    assert len(imprint) == min(len(pairs(read)), MOST_NUMBERS)


@given(imprints)
def test_it_comes_back_from_the_form_it_is_stored_in(imprint: tuple[int, ...]) -> None:
    assert unpacked(packed(imprint)) == imprint


@given(imprints, imprints)
def test_likeness_is_a_share_and_the_same_from_both_sides(
    left: tuple[int, ...], right: tuple[int, ...]
) -> None:
    assert similarity(left, right) == similarity(right, left)
    assert 0.0 <= similarity(left, right) <= 1.0
    assert similarity(left, left) == (1.0 if left else 0.0)


@given(words, words)
def test_of_short_texts_the_likeness_is_exactly_the_share_of_common_pairs(
    left: list[str], right: list[str]
) -> None:
    one, other = pairs(left), pairs(right)
    assume(max(len(one), len(other)) < MOST_NUMBERS and one | other)
    assert similarity(imprint_of(left), imprint_of(right)) == round(len(one & other) / len(one | other), 3)


@pytest.mark.parametrize("common", [0, 100, 300, 500])
def test_of_long_texts_it_is_nearly_that(common: int) -> None:
    left = [f"same{n}" for n in range(common)] + [f"left{n}" for n in range(500 - common)]
    right = [f"same{n}" for n in range(common)] + [f"gone{n}" for n in range(500 - common)]
    share = len(pairs(left) & pairs(right)) / len(pairs(left) | pairs(right))
    assert similarity(imprint_of(left), imprint_of(right)) == pytest.approx(share, abs=0.15)


@given(imprints)
def test_the_keys_of_two_sites_have_nothing_in_common(imprint: tuple[int, ...]) -> None:
    assert not set(keys_of(imprint, "site_a", 64)) & set(keys_of(imprint, "site_b", 64))


@given(plain_words, st.data())
def test_case_white_space_and_invisible_characters_change_nothing(
    plain: list[str], data: st.DataObject
) -> None:
    disguised = [
        data.draw(st.sampled_from([word, word.upper(), f"{word[0]}\u200b{word[1:]}"])) for word in plain
    ]
    gap = data.draw(st.sampled_from(["  ", "\n", "\t \u2003", " "]))
    assert imprint_of(words_of(gap.join(disguised))) == imprint_of(words_of(" ".join(plain)))


@pytest.mark.parametrize(
    "disguised",
    [
        "Buy ｃｈｅａｐ watches at our little shop, dear friends",
        "Buy cheap w4tche$ at our little shop, dear friends",
        "Buy cheap wаtсhеs at our little shop, dear friends",
        "buy ... cheap «watches» at our LITTLE shop!!! dear friends",
    ],
)
def test_words_in_disguise_are_read_as_what_they_stand_for(disguised: str) -> None:
    plain = imprint_of(words_of("Buy cheap watches at our little shop, dear friends"))
    assert similarity(imprint_of(words_of(disguised)), plain) == 1.0


def test_another_link_changes_nothing_and_sentences_may_change_places() -> None:
    one = "Buy our watches now at https://a.example/x . Everybody loves these lovely golden watches today"
    other = "Everybody loves these lovely golden watches today Buy our watches now at http://b.example/?y=2 ."
    assert similarity(imprint_of(words_of(one)), imprint_of(words_of(other))) > 0.7


@given(st.text(max_size=400))
def test_any_text_leaves_an_imprint_and_has_domains(body: str) -> None:
    imprint_of(words_of(body))
    assert all("." in domain and domain == domain.casefold() for domain in domains_in(body, body))


@pytest.mark.parametrize(
    ("body", "author_url", "domains"),
    [
        ("no link", None, ()),
        ("e.g. this/that and 3.5", None, ()),
        ("HTTP://Shop.Example:80?x http://www.shop.example.", None, ("shop.example",)),
        ("http://user:word@evil.example@real.example/", None, ("real.example",)),
        (
            "(see http://a.example), [b](https://b.example)",
            "c.example",
            ("a.example", "b.example", "c.example"),
        ),
        ("http:///slashes.example", "https://me.example/about", ("slashes.example", "me.example")),
        ("www.only.example", "", ("only.example",)),
        ("http://localhost/ http:// http://.", "-", ()),
    ],
)
def test_domains_are_told_alike_however_they_are_written(
    body: str, author_url: str | None, domains: tuple[str, ...]
) -> None:
    assert domains_in(body, author_url) == domains
