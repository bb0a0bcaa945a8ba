"""Normalising text: whatever people type, and back to where it came from."""

import doctest
import importlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.alignment import align
from classifier.text import normalise

TRICKY = st.sampled_from(
    [
        *[
            "&amp;",
            "&lt;",
            "&#x41;",
            "&",
            "#",
            "amp;",
            "<b>",
            "</a",
            "<",
            ">",
            "http://",
            "www.",
            "a.com",
            "@",
            "x@y.zz",
            "*",
            "$$",
            "e",
            "aaaa",
            ".",
            "f*ck",
        ],
        *["<a href='http://x.yz/q'>", "\u200b", "\u0301", "\u1100", "\u1161", "ααα", "ς", "Σ", "İ", "ß", "ﬁ"],
        *["\uff9e", "カ", "\ud800", "😀", " ", "\n"],
    ]
)
TEXTS = st.one_of(st.text(), st.lists(st.one_of(TRICKY, st.characters()), max_size=14).map("".join))


@pytest.mark.parametrize("name", ["alignment", "card", "facts", "lines", "text", "thresholds"])
def test_examples_in_docstrings_hold(name: str) -> None:
    result = doctest.testmod(importlib.import_module(f"classifier.{name}"))
    assert result.attempted and not result.failed


@settings(deadline=None)
@given(TEXTS)
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@settings(deadline=None)
@given(TEXTS)
def test_alignment_gives_the_same_text_and_origins_in_range(text: str) -> None:
    aligned = align(text)
    assert aligned.text == normalise(text)
    assert len(aligned.text) == len(aligned.starts) == len(aligned.ends)
    assert all(0 <= start < end <= len(text) for start, end in zip(aligned.starts, aligned.ends, strict=True))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("fr\u200bee mon\u00adey", "free money"),
        ("ＦＲＥＥ", "free"),
        ("don't", "don t"),
        ("&amp;lt;b&amp;gt; bold", "bold"),
        ("SOOOO goood!!!!", "soo good"),
        ("see [url=https://www.pills.example/buy]here[/url]", "see url urllink pills example here url"),
        ("mail me: joe@shop.example", "mail me emailaddress shop example"),
        ("@joe hi", "atname hi"),
    ],
)
def test_disguises_are_taken_off(typed: str, meant: str) -> None:
    assert normalise(typed) == meant


@pytest.mark.parametrize("part", ["&amp;", "<", "a@", "<a href=", "http://", "x.", "aaaa@", "\u0301", "@@$"])
def test_the_longest_body_of_anything_takes_well_under_a_second(part: str) -> None:
    body = (part * 20_000)[:20_000]
    started = time.perf_counter()
    normalise(body)
    assert time.perf_counter() - started < 0.5
