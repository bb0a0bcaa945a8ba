"""The schedule of tries: a day in all, never sooner than the receiver asks, and it ends"""

from hypothesis import given
from hypothesis import strategies as st

from moderation.domain.webhooks import LONGEST_WAIT, SCHEDULE, next_try

CHANCE = st.floats(0, 1)


@given(st.lists(CHANCE, min_size=len(SCHEDULE), max_size=len(SCHEDULE)))
def test_ten_tries_take_about_a_day(chances: list[float]) -> None:
    pauses = [next_try(number, chance) for number, chance in enumerate(chances, start=1)]
    assert pauses[-1] is None
    total = sum(pause for pause in pauses if pause is not None)
    assert SCHEDULE[-1] <= total <= SCHEDULE[-1] * 1.1 + 1


@given(st.integers(1, len(SCHEDULE) - 1), CHANCE, st.floats(0, 1e9))
def test_a_receiver_may_ask_for_more_time_up_to_a_day_but_not_for_less(
    attempts: int, chance: float, asked: float
) -> None:
    usual, pause = next_try(attempts, chance), next_try(attempts, chance, asked)
    assert usual is not None
    assert pause is not None
    assert pause >= usual
    assert pause >= min(asked, LONGEST_WAIT)
    assert pause <= max(usual, LONGEST_WAIT)
