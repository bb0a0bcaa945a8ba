"""Scores on the scale that clients of other services know"""

from hypothesis import given
from hypothesis import strategies as st

from moderation.domain.policy import Threshold
from moderation.domain.scale import LOOK, SURE, on_their_scale

share = st.floats(0.001, 0.999)
points = st.builds(
    lambda pair, reject: Threshold(reject=max(pair) if reject else None, hold=min(pair)),
    st.tuples(share, share),
    st.booleans(),
)


@given(st.floats(0, 1), st.floats(0, 1), points)
def test_it_never_turns_two_scores_around(one: float, other: float, point: Threshold) -> None:
    low, high = sorted((one, other))
    assert on_their_scale(low, point) <= on_their_scale(high, point) + 1e-6


@given(st.floats(0, 1), points)
def test_it_stays_a_probability(score: float, point: Threshold) -> None:
    assert 0.0 <= on_their_scale(score, point) <= 1.0


@given(points)
def test_a_look_is_a_half_and_sure_is_nine_tenths(point: Threshold) -> None:
    assert abs(on_their_scale(point.hold, point) - LOOK) < 1e-5 or point.reject == point.hold
    if point.reject is not None and point.reject > point.hold + 1e-3:
        assert abs(on_their_scale(point.reject, point) - SURE) < 1e-3
