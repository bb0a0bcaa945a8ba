"""Reading text: whatever people type, and always where it came from."""

import doctest
import importlib
import os
import random
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from classifier import vocabulary
from classifier.hashing import HashedWords, hash_words
from classifier.perturbation import DISGUISES, disguised, other_terms
from classifier.text import LONGEST_WORD, located_pieces, parted, pieces, plain_words, tokens
from classifier.vocabulary import GAP, NOTHING, Vocabulary

PARTS = (
    *(
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
    ),
    *(
        "*",
        "$$",
        "e",
        "aaaa",
        ".",
        "f*ck",
        "a-b",
        "'",
        "<a href='http://x.yz/q'>",
        "\u200b",
        "\u0301",
        "\u1100",
    ),
    *("\u1161", "ααα", "ς", "Σ", "İ", "ß", "ﬁ", "\uff9e", "カ", "\ud800", "😀", "\u0445", "\u0455"),
)
TRICKY = st.sampled_from([*PARTS, " ", "\n"])
TEXTS = st.one_of(st.text(), st.lists(st.one_of(TRICKY, st.characters()), max_size=14).map("".join))


def words(text: str) -> list[str]:
    return [token for piece in pieces(text) for token in tokens(piece)]


@pytest.mark.parametrize(
    "name",
    ["card", "confusables", "evaluation", "facts", "hashing", "lines", "perturbation", "text", "thresholds"],
)
def test_examples_in_docstrings_hold(name: str) -> None:
    result = doctest.testmod(importlib.import_module(f"classifier.{name}"))
    assert result.attempted and not result.failed


@given(TEXTS)
def test_any_text_becomes_short_words_without_white_space(text: str) -> None:
    for word in words(text):
        assert word and not word.isspace() and word.split() == [word]
        assert len(word) <= LONGEST_WORD + 2


@given(TEXTS)
def test_pieces_are_the_same_with_their_places_and_cover_all_but_white_space(text: str) -> None:
    located = list(located_pieces(text))
    assert [piece.text for piece in located] == pieces(text)
    assert "".join(text[p.start : p.end] for p in located).split() == "".join(text.split()).split() or any(
        " " in text[p.start : p.end] or "\t" in text[p.start : p.end] for p in located
    )
    ends = [0, *(piece.end for piece in located)]
    assert all(end <= piece.start < piece.end for end, piece in zip(ends, located, strict=False))


@given(TEXTS, TEXTS)
def test_text_after_white_space_changes_no_word_before_it(first: str, second: str) -> None:
    if len((first.split() or ["long"])[-1]) > 1:  # lone letters are put together
        assert words(f"{first}\n{second}")[: len(words(first))] == words(first)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("fr\u200bee mon\u00adey", "free money"),
        ("ＦＲＥＥ", "free"),
        ("don't can’t", "dont cant"),
        ("&lt;b&gt; bold", "bold"),
        ("SOOOO goood!!!!", "soo good"),
        ("see [url=https://www.pills.example/buy]here[/url]", "see url <link> pills .example buy here url"),
        ("mail me: joe@shop.example", "mail me <mail> shop .example"),
        ("@joe hi", "<name> ajoe hi"),
        ("y0u 1d10t", "you idiot"),
        ("уоu аsshоlе", "you asshole"),
        ("i d i o t and s.h.i.t", "idiot and shit"),
        ("st\u0336u\u0336p\u0336id", "stupid"),
        ("try example.com/offer now", "try <link> example .com offer now"),
        ("it was 10am in 2020", "it was 10am in 2020"),
        ("call 004915112345", "call 000000000000"),
        ("안녕하세요", "안녕하세요"),
    ],
)
def test_disguises_are_taken_off(typed: str, meant: str) -> None:
    assert " ".join(words(typed)) == meant


@given(st.text(alphabet=st.sampled_from("死你ねバー、。!a1. @&\u3099\u200bｱ-"), max_size=40))
def test_parts_of_a_piece_lie_side_by_side_and_have_its_tokens(text: str) -> None:
    for piece in located_pieces(text):
        parts = parted(piece)
        assert [parts[0].start, *(part.end for part in parts)] == [*(part.start for part in parts), piece.end]
        assert [word for part in parts for word in tokens(part.text)] == tokens(piece.text)


def test_chinese_is_read_sign_by_sign_and_japanese_by_its_scripts() -> None:
    assert words("你真是个好人") == ["你", "真", "是", "个", "好", "人"]
    assert words("ﾊﾞｶな人") == ["バカ", "な", "人"]


@given(st.lists(st.text(min_size=1, max_size=30).filter(lambda text: len(text.split()) == 1), max_size=5))
def test_plain_words_are_read_the_same_alone_and_many_at_once(typed: list[str]) -> None:
    found = [piece.split()[0] for piece in typed]
    for piece, word in zip(found, plain_words(found), strict=True):
        assert not word or tokens(piece) == [word]


@given(st.lists(st.text(alphabet=st.sampled_from("ab.,!'- \t\n1@🐷\u0301é"), max_size=40), max_size=6))
def test_remembered_words_are_those_of_the_text(texts: list[str]) -> None:
    nothing = np.zeros((1, 1), np.float32)
    memory = Vocabulary(8, (nothing,), lambda hashed: (nothing.repeat(len(hashed.hashes), axis=0),))
    for batch in (texts[:1], texts, texts[::-1]):
        read = memory.read(batch)
        for i, text in enumerate(batch):
            assert read.hashes[read.of(i)].tolist() == hash_words(words(text) or [NOTHING], 8).hashes.tolist()
        assert (read.ids[read.starts - 1] == GAP).all() and (read.ids[read.ends] == GAP).all()


WORDS = ["ab", "cd", "ef", "gh", "ij", "kl", "mn", "op"]


@given(st.lists(st.lists(st.sampled_from(WORDS), max_size=8), min_size=1, max_size=20))
def test_a_reader_keeps_its_words_when_they_are_forgotten(texts: list[list[str]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vocabulary, "_MOST_WORDS", 6)
        memory = numbered_words(width=1)
        read = [memory.read([" ".join(text)]) for text in texts]
    for text, found in zip(texts, read, strict=True):
        expected = hash_words(text or [NOTHING], 8).hashes
        assert np.array_equal(found.hashes[found.of(0)], expected)
        assert np.array_equal(found.vectors[0][found.of(0), 0], (expected % 1000).astype(np.float32))


def test_words_that_fit_in_are_remembered_and_no_room_is_made_for_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(vocabulary, "_MOST_WORDS", 12)
    memory = numbered_words(width=1)
    first, second = memory.read([" ".join(WORDS[:5])]), memory.read([" ".join([*WORDS[5:], WORDS[0]])])
    assert second.ids[-2] == first.ids[1]
    for text in ("ten others that come", "and five or six more", "and one"):
        assert len(memory.read([text]).hashes) == 12


def test_a_text_of_more_words_than_are_remembered_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "_MOST_WORDS", 4)
    memory = numbered_words(width=1)
    for text in (WORDS, WORDS[:1], WORDS):
        read = memory.read([" ".join(text)])
        assert np.array_equal(read.hashes[read.of(0)], hash_words(text, 8).hashes)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells a process's memory there")
def test_a_full_memory_stays_as_large_as_it_is() -> None:
    # In a process of its own: what other tests left behind may be collected at any moment in this one.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
        sizes = processes.submit(sizes_while_reading).result()
    # Of its 67 MB; it was full, and began anew, after the first 65 of these 140 reads.
    late = sizes[67:]
    assert sizes[60] - sizes[0] > 50_000_000
    assert max(late) - min(late) < 25_000_000


def sizes_while_reading() -> list[int]:
    """The process's bytes of memory after each read of 500 new words."""
    memory, sizes = numbered_words(width=512), []
    for first in range(0, 70_000, 500):
        memory.read([" ".join(f"w{n}" for n in range(first, first + 500))])
        sizes.append(int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
    return sizes


def numbered_words(width: int) -> Vocabulary:
    """Whose vectors follow from a word's hash."""

    def vectors_of(hashed: HashedWords) -> tuple[NDArray[np.float32], ...]:
        return ((hashed.hashes % 1000).astype(np.float32)[:, None].repeat(width, axis=1),)

    return Vocabulary(8, (np.zeros((1, width), np.float32),), vectors_of)


@pytest.mark.parametrize("name", ["look-alikes", "spaced", "invisible", "marked"])
def test_what_only_looks_different_is_read_the_same(name: str) -> None:
    text = "you are a complete moron and everybody knows"
    shown = disguised(text, random.Random(0), DISGUISES[name], share=1.0)
    assert shown != text
    assert "".join(words(shown)).replace("*", "") == "".join(words(text))


def test_a_text_about_other_people_keeps_its_other_words() -> None:
    assert other_terms("thanks for the fix", random.Random(0)) == "thanks for the fix"


@pytest.mark.parametrize(
    "part",
    [
        "&amp;",
        "<",
        "a@",
        "<a href=",
        "http://",
        "x.",
        "aaaa@",
        "\u0301",
        "@@$",
        "a ",
        "a-",
        "[a",
        "&a",
        "🐷",
        "漢",
    ],
)
def test_the_longest_body_of_anything_takes_well_under_a_second(part: str) -> None:
    body = (part * 20_000)[:20_000]
    started = time.thread_time()
    words(body)
    assert time.thread_time() - started < 0.25
