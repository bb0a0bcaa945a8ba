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
    assert words in (trips({"a": BEFORE}, {"a": after}) or "")


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
    assert trips({"a": BEFORE}, {"a": after}) is None


def test_a_model_that_fails_one_site_trips_however_well_it_does_on_the_others() -> None:
    before = dict.fromkeys("abcdefgh", BEFORE)
    assert trips(before, before) is None
    reason = trips(before, before | {"c": replace(BEFORE, corrected=90)})
    assert reason is not None
    assert "people corrected 5.0 %" in reason


def test_what_small_sites_say_is_heard_together() -> None:
    small = Record(decided=100, approved=80, automatic=90, corrected=0)
    before = {f"site {n}": small for n in range(10)}
    assert trips(before, {site: replace(small, corrected=9) for site in before}) is not None
    assert trips(before, {site: replace(small, approved=50) for site in before}) is not None


def test_sites_that_come_or_come_more_often_are_no_sign() -> None:
    wary = Record(decided=300, approved=60, automatic=300, corrected=30)
    before = {"a": BEFORE, "b": wary}
    more = Record(decided=6000, approved=1200, automatic=6000, corrected=600)
    assert trips(before, {"a": BEFORE, "b": more}) is None
    assert trips(before, {"a": BEFORE, "b": wary, "new": more}) is None


def test_spam_that_pours_over_one_of_many_sites_is_no_sign() -> None:
    before = dict.fromkeys("abcdefgh", BEFORE)
    assert trips(before, before | {"c": replace(BEFORE, decided=9000, approved=1600)}) is None


def test_a_site_that_waits_for_a_proof_hides_nothing_on_the_others() -> None:
    before = {"a": BEFORE, "b": BEFORE}
    waiting = replace(BEFORE, approved=0, unproven=1600)
    assert trips(before, {"a": BEFORE, "b": waiting}) is None
    assert trips(before, {"a": replace(BEFORE, approved=1000), "b": waiting}) is not None


@given(st.integers(0, 5000), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_model_never_trips_against_itself(decided: int, one: float, two: float, three: float) -> None:
    automatic = round(decided * one)
    record = Record(decided, round(decided * two), automatic, round(automatic * three))
    assert trips({"a": record}, {"a": record}) is None
