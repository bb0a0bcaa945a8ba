"""Whether scores and words moved: the index, what chance reaches, and new words"""

import random
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from moderation.domain.drift import (
    CONFIDENCE,
    Level,
    binned,
    chance_limit,
    count_in,
    shift,
    stability_index,
    told,
)
from moderation.domain.new_words import (
    BITS,
    MOST_WORDS,
    NewWords,
    fingerprint,
    is_known,
    new_words,
    words_level,
)

SCORES = st.lists(st.floats(0, 1), min_size=1, max_size=300)
COUNTS = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=1, max_size=10)


@given(SCORES)
def test_every_score_is_in_one_of_at_most_ten_bins_and_none_is_empty(scores: list[float]) -> None:
    bins = binned(scores)
    assert len(bins.counts) == len(bins.edges) + 1 <= 10
    assert sum(bins.counts) == len(scores) and all(bins.counts)


@given(COUNTS)
def test_the_index_is_never_negative_nor_infinite(pairs: list[tuple[int, int]]) -> None:
    then, now = zip(*pairs, strict=True)
    assert -1e-12 <= stability_index(then, now) < inf
    assert stability_index(then, then) == 0
    assert stability_index(then, now) == pytest.approx(stability_index(now, then))


@pytest.mark.parametrize("bins", range(3, 11))
def test_what_chance_reaches_is_that_of_chi_squared(bins: int) -> None:
    expected = chi2.ppf(CONFIDENCE, bins - 1) * (1 / 1000 + 1 / 500)
    assert chance_limit(bins, 1000, 500) == pytest.approx(expected, rel=0.03)


def test_chance_alone_hardly_ever_reaches_it() -> None:
    chance, beyond = random.Random(3), 0
    then = binned([chance.random() for _ in range(2000)])
    for _ in range(300):
        moved = shift(then, [chance.random() for _ in range(500)])
        beyond += moved.index > moved.chance
        assert moved.level is Level.NONE
    assert beyond <= 3


@pytest.mark.parametrize(("top", "level"), [(0.98, "none"), (0.92, "watch"), (0.5, "alarm")])
def test_the_level_follows_the_index(top: float, level: str) -> None:
    then = binned([n / 5000 for n in range(5000)])
    assert shift(then, [top * n / 5000 for n in range(5000)]).level == level


def test_scores_all_alike_have_one_bin_and_no_index() -> None:
    assert shift(binned([0.5] * 100), [0.1] * 100).index == 0.0
    assert count_in((), [0.1, 0.2]) == (2,)


def test_a_fingerprint_knows_all_its_words_and_few_others() -> None:
    made = fingerprint(f"known{n}" for n in range(MOST_WORDS))
    assert len(made) == BITS // 8
    assert all(is_known(made, f"known{n}") for n in range(0, MOST_WORDS, 50))
    assert sum(is_known(made, f"new{n}") for n in range(5000)) < 100


def test_a_fingerprint_takes_no_more_words_than_it_can_hold() -> None:
    made = fingerprint(f"known{n}" for n in range(2 * MOST_WORDS))
    assert sum(is_known(made, f"known{n}") for n in range(MOST_WORDS, MOST_WORDS + 1000)) < 50


def test_texts_without_words_say_nothing() -> None:
    assert new_words(fingerprint(["a"]), [[], []]) == NewWords(0, 0.0, 0.0)


def test_the_error_of_the_share_is_that_of_chance() -> None:
    chance, made = random.Random(5), fingerprint(["old"])
    texts = [[chance.choice(["old", "new"]) for _ in range(10)] for _ in range(1000)]
    found = new_words(made, texts)
    assert found.share == pytest.approx(0.5, abs=0.02)
    assert found.error == pytest.approx((0.25 / 10_000) ** 0.5, rel=0.15)


@pytest.mark.parametrize(
    ("then", "now", "level"),
    [
        (NewWords(400, 0.08, 0.004), NewWords(500, 0.2, 0.006), Level.ALARM),
        (NewWords(400, 0.12, 0.004), NewWords(500, 0.2, 0.006), Level.WATCH),
        (NewWords(400, 0.2, 0.004), NewWords(500, 0.26, 0.006), Level.NONE),
        (NewWords(400, 0.01, 0.004), NewWords(500, 0.04, 0.004), Level.NONE),
        (NewWords(400, 0.08, 0.02), NewWords(500, 0.2, 0.04), Level.NONE),
        (NewWords(100, 0.08, 0.004), NewWords(500, 0.2, 0.006), None),
    ],
)
def test_new_words_are_told_when_they_are_clearly_more(
    then: NewWords, now: NewWords, level: Level | None
) -> None:
    assert words_level(then, now) is level


def test_words_that_did_not_change_are_not_told() -> None:
    assert told({}, (0.1, 0.1, Level.NONE)) == "comments score as they did in its first weeks"
