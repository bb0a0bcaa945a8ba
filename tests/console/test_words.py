"""What the pages say, and where a text is marked."""

import doctest
from types import ModuleType
from typing import Any

import pytest

from moderation.console import sign_in, words

BODY = "buy cheap pills"


@pytest.mark.parametrize("module", [words, sign_in], ids=lambda m: m.__name__)
def test_its_examples_are_true(module: ModuleType) -> None:
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


def span(start: int, end: int, category: str = "spam", weight: float = 1.0) -> dict[str, Any]:
    return {"start": start, "end": end, "category": category, "weight": weight}


@pytest.mark.parametrize(
    "spans",
    [
        [],
        [span(0, 15)],
        [span(0, 9), span(4, 15, "insult", 2.0)],
        [span(-5, 3), span(10, 99)],
        [span(3, 3), span(9, 4)],
    ],
)
def test_marking_never_loses_or_repeats_a_character(spans: list[dict[str, Any]]) -> None:
    assert "".join(part.text for part in words.marked(BODY, spans)) == BODY


def test_the_heaviest_of_two_spans_names_what_both_cover() -> None:
    parts = words.marked(BODY, [span(0, 9), span(4, 15, "insult", 2.0)])
    assert [(part.text, part.category) for part in parts] == [
        ("buy ", "spam"),
        ("cheap", "insult"),
        (" pills", "insult"),
    ]


def test_what_speaks_for_a_comment_is_not_marked() -> None:
    assert words.marked(BODY, [span(0, 3, weight=-1.0)]) == [words.Part(BODY)]
