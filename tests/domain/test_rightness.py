"""How right decisions without a person are, as far as labels tell"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.domain.binomial import interval
from moderation.domain.rightness import CONFIDENCE, deserves_rejection, rightness

JUDGED = st.lists(st.tuples(st.booleans(), st.sampled_from([0.01, 0.1, 1.0])), min_size=1, max_size=200)


@given(JUDGED)
def test_the_share_lies_between_its_bounds(judged: list[tuple[bool, float]]) -> None:
    found = rightness(judged)
    assert found.share is not None and found.low is not None and found.high is not None
    # The bounds are rounded against ourselves, so the upper one may lie a little below the share.
    assert 0.0 <= found.low <= found.share
    assert found.low <= found.high <= 1.0
    assert found.labelled == len(judged) and found.wrong == sum(wrong for wrong, _ in judged)


@given(st.integers(1, 300).flatmap(lambda seen: st.tuples(st.integers(0, seen), st.just(seen))))
def test_labels_of_equal_weight_have_the_exact_bounds(sample: tuple[int, int]) -> None:
    wrong, seen = sample
    found = rightness([(n < wrong, 0.1) for n in range(seen)])
    low, high = interval(wrong, seen, CONFIDENCE)
    assert found.low == pytest.approx(1 - high, abs=1e-4)
    assert found.high == pytest.approx(1 - low, abs=1e-4)


def test_a_spot_check_stands_for_what_was_not_drawn() -> None:
    looked_at, drawn = [(True, 1.0)] * 20 + [(False, 1.0)] * 20, [(False, 0.01)] * 40
    assert rightness(looked_at).share == 0.5
    assert rightness([*looked_at, *drawn]).share == pytest.approx(0.995, abs=0.001)


@pytest.mark.parametrize(
    ("labels", "deserved"),
    [
        ({"threat": True}, True),
        ({"spam": False, "toxicity": True}, True),
        ({"spam": False, "toxicity": False, "insult": False}, False),
        ({"toxicity": False}, None),
        ({}, None),
    ],
)
def test_what_labels_say_of_a_comment(labels: dict[str, bool], deserved: bool | None) -> None:
    assert deserves_rejection(labels) is deserved
