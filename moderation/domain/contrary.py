"""Moderators who say the opposite of what the others say, seen by a model that agrees with the others.

A model cannot tell who is right. But where it orders what the other moderators labelled as they do, and what
one of them labelled the wrong way round, far beyond chance, that one has mixed up the keys, or means harm.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

# Standard deviations from what chance gives: once in 700 moderators who label at random.
BEYOND_CHANCE = 3.0
# With fewer of a kind the numbers are not near enough to a normal distribution.
FEWEST_OF_A_KIND = 5

# A score and what the moderator said of it.
Said = tuple[float, bool]


@dataclass(frozen=True)
class Judgement:
    """One label of one moderator, and the model's score in its category."""

    moderator_id: str
    category: str
    score: float
    value: bool


def contrary(judgements: Iterable[Judgement]) -> set[str]:
    """The moderators whose labels a model orders the wrong way round, and those of all the others rightly.

    >>> def of(who, values): return [Judgement(who, "spam", n / 20, value) for n, value in enumerate(values)]
    >>> rightly, wrongly = [False] * 10 + [True] * 10, [True] * 10 + [False] * 10
    >>> contrary([*of("Ann", rightly), *of("Bob", wrongly), *of("Cid", rightly)])
    {'Bob'}
    >>> contrary([*of("Ann", rightly), *of("Bob", wrongly)]), contrary(of("Bob", wrongly))
    ({'Bob'}, set())
    """
    by_category: dict[str, dict[str, list[Said]]] = defaultdict(lambda: defaultdict(list))
    for one in judgements:
        by_category[one.category][one.moderator_id].append((one.score, one.value))
    return {who for of_all in by_category.values() for who in _contrary_in(of_all)}


def beyond_chance(said: Sequence[Said]) -> float | None:
    """By how many standard deviations true ones are scored above false ones (Mann and Whitney 1947).

    None when there are too few of a kind to say.

    >>> round(beyond_chance([(n / 20, n >= 10) for n in range(20)]), 2)
    3.78
    """
    true, false = (sum(value is wanted for _, value in said) for wanted in (True, False))
    if min(true, false) < FEWEST_OF_A_KIND:
        return None
    above = _rank_sum(said) - true * (true + 1) / 2
    return (above - true * false / 2) / sqrt(true * false * (true + false + 1) / 12)


def _contrary_in(of_all: Mapping[str, Sequence[Said]]) -> set[str]:
    found = set()
    for who, said in of_all.items():
        own = beyond_chance(said)
        others = [one for other, of_other in of_all.items() if other != who for one in of_other]
        agreed = beyond_chance(others)
        if own is not None and agreed is not None and own < -BEYOND_CHANCE and agreed > BEYOND_CHANCE:
            found.add(who)
    return found


def _rank_sum(said: Sequence[Said]) -> float:
    """The sum of the ranks of the true ones, those of the same score with their mean rank."""
    ordered = sorted(said)
    total, start = 0.0, 0
    while start < len(ordered):
        end = start
        while end < len(ordered) and ordered[end][0] == ordered[start][0]:
            end += 1
        total += (start + 1 + end) / 2 * sum(value for _, value in ordered[start:end])
        start = end
    return total
