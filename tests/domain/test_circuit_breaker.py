"""When a new model is rolled back by itself"""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.domain.circuit_breaker import FEWEST, Record, trips

BEFORE = Record(decided=2000, approved=1600, automatic=1800, corrected=9)


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (replace(BEFORE, corrected=90), "people corrected 5.0 %"),
        (replace(BEFORE, approved=1000), "approves 50 %"),
        (replace(BEFORE, approved=1990), "approves 100 %"),
    ],
)
def test_what_is_clearly_worse_trips(after: Record, words: str) -> None:
    assert words in (trips(BEFORE, after) or "")


@pytest.mark.parametrize(
    "after",
    [
        BEFORE,
        replace(BEFORE, corrected=12),  # chance
        replace(BEFORE, approved=1450),  # too little to matter
        Record(FEWEST - 1, 0, FEWEST - 1, FEWEST - 1),  # too few to say
        replace(BEFORE, corrected=0),  # better
    ],
)
def test_what_may_be_chance_or_is_small_does_not(after: Record) -> None:
    assert trips(BEFORE, after) is None


@given(st.integers(0, 5000), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_model_never_trips_against_itself(decided: int, one: float, two: float, three: float) -> None:
    automatic = round(decided * one)
    record = Record(decided, round(decided * two), automatic, round(automatic * three))
    assert trips(record, record) is None
