"""Sentences and their places in UTF-16 units"""

from hypothesis import given
from hypothesis import strategies as st

from moderation.compat.perspective.call import in_camel_case
from moderation.compat.perspective.spans import MOST_SENTENCES, sentences, units

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=300) | st.text(
    "ab.!? \n\U0001f600\u3002", max_size=300
)


@given(texts)
def test_the_parts_are_the_text_without_a_gap(text: str) -> None:
    found = sentences(text)
    assert "".join(piece for _, _, piece in found) == text
    edges = [0, *(end for _, end, _ in found)]
    assert [begin for begin, _, _ in found] == edges[:-1]
    assert edges[-1] == units(text)


@given(texts)
def test_javascript_finds_each_part_where_it_is_said_to_be(text: str) -> None:
    encoded = text.encode("utf-16-le")
    for begin, end, piece in sentences(text):
        assert encoded[2 * begin : 2 * end].decode("utf-16-le") == piece


def test_endless_sentences_are_cut_to_a_number() -> None:
    found = sentences("No. " * 5_000)
    assert len(found) == MOST_SENTENCES
    assert "".join(piece for _, _, piece in found) == "No. " * 5_000


@given(
    st.recursive(st.none() | st.integers(), lambda inner: st.dictionaries(st.text("a_B", min_size=1), inner))
)
def test_camel_case_stays_as_it_is(value: object) -> None:
    once = in_camel_case(value)
    assert in_camel_case(once) == once or "__" in str(value)
