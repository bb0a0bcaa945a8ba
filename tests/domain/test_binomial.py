"""Exact bounds on a share, held against scipy's"""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from moderation.domain.binomial import interval, lower_bound, upper_bound

SAMPLES = st.integers(1, 20_000).flatmap(lambda seen: st.tuples(st.integers(0, seen), st.just(seen)))


@given(SAMPLES, st.sampled_from([0.5, 0.9, 0.95, 0.999]))
def test_the_upper_bound_is_that_of_clopper_and_pearson(sample: tuple[int, int], confidence: float) -> None:
    found, seen = sample
    expected = 1.0 if found == seen else beta.ppf(confidence, found + 1, seen - found)
    assert upper_bound(found, seen, confidence) == pytest.approx(expected, abs=1e-8)


@given(SAMPLES)
def test_the_share_of_the_sample_lies_between_the_bounds(sample: tuple[int, int]) -> None:
    found, seen = sample
    low, high = interval(found, seen, 0.95)
    assert 0.0 <= low <= found / seen <= high <= 1.0


def test_without_a_sample_anything_is_possible() -> None:
    assert (lower_bound(0, 0, 0.95), upper_bound(0, 0, 0.95)) == (0.0, 1.0)
