"""Drift: whether comments score as they did in a model's first weeks.

By the population stability index, sum over bins of (q - p) ln(q / p), where p and q are the shares then and
now and the bins hold a tenth each of what there was then; from 0.1 on it is worth watching, from 0.25 on an
alarm (N. Siddiqi, "Credit Risk Scorecards", Wiley 2006, chapter 9). Nothing is said within what chance alone
reaches: without drift the index is distributed as (1/n + 1/m) chi-squared with one degree of freedom less
than bins (B. Yurdakul, "Statistical properties of population stability index", Western Michigan University,
2018), for comments that do not depend on each other. Whoever counts one text once comes close to that.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import log, sqrt
from statistics import NormalDist

WATCH_FROM, ALARM_FROM = 0.1, 0.25
BINS = 10
# With fewer comments then or now nothing is said.
FEWEST_THEN, FEWEST_NOW = 1_000, 500
# Seven categories are looked at every hour; one look in a thousand may be wrong.
CONFIDENCE = 0.999
# Added to every bin, so that an empty one does not make the index infinite.
_SMOOTHING = 0.5


class Level(StrEnum):
    """What a change is worth."""

    NONE = "none"
    WATCH = "watch"
    ALARM = "alarm"


@dataclass(frozen=True)
class Bins:
    """A distribution: the inner edges of its bins, and how many scores each held."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Shift:
    """How far a distribution moved, how far chance alone would move it, and what that is worth."""

    index: float
    chance: float
    level: Level


def binned(scores: Sequence[float]) -> Bins:
    """The tenths of a distribution; scores that are all alike leave fewer bins.

    >>> binned([n / 100 for n in range(100)]).counts
    (10, 10, 10, 10, 10, 10, 10, 10, 10, 10)
    >>> binned([0.0] * 50 + [1.0] * 50).edges
    (1.0,)
    """
    ordered = sorted(scores)
    tenths = {ordered[len(ordered) * n // BINS] for n in range(1, BINS)}
    edges = tuple(sorted(tenths - {ordered[0]}))
    return Bins(edges, count_in(edges, ordered))


def count_in(edges: Sequence[float], scores: Sequence[float]) -> tuple[int, ...]:
    """How many scores fall into each bin; an edge belongs to the bin above it.

    >>> count_in((0.2, 0.5), [0.1, 0.2, 0.3, 0.9])
    (1, 2, 1)
    """
    counts = [0] * (len(edges) + 1)
    for score in scores:
        counts[bisect_right(edges, score)] += 1
    return tuple(counts)


def stability_index(then: Sequence[int], now: Sequence[int]) -> float:
    """The population stability index of two rows of counts, both smoothed.

    >>> round(stability_index([100, 100], [100, 100]), 6)
    0.0
    >>> round(stability_index([1000, 1000], [1500, 500]), 3)
    0.274
    """
    pairs = zip(_shares(then), _shares(now), strict=True)
    return sum((q - p) * log(q / p) for p, q in pairs)


def chance_limit(bins: int, then: int, now: int) -> float:
    """What the index stays below by chance alone; chi-squared as Wilson and Hilferty approximate it (1931).

    >>> round(chance_limit(10, 1000, 500), 3)
    0.084
    >>> round(chance_limit(10, 5000, 5000), 3)
    0.011
    """
    freedom = max(bins - 1, 1)
    part = 2 / (9 * freedom)
    quantile = freedom * (1 - part + NormalDist().inv_cdf(CONFIDENCE) * sqrt(part)) ** 3
    return (1 / then + 1 / now) * quantile


def shift(then: Bins, scores: Sequence[float]) -> Shift:
    """How far these scores are from those of then.

    >>> then = binned([n / 1000 for n in range(1000)])
    >>> shift(then, [n / 600 for n in range(600)]).level
    <Level.NONE: 'none'>
    >>> shift(then, [n / 1200 for n in range(600)]).level
    <Level.ALARM: 'alarm'>
    """
    index = stability_index(then.counts, count_in(then.edges, scores))
    chance = chance_limit(len(then.counts), sum(then.counts), len(scores))
    return Shift(round(index, 4), round(chance, 4), _level(index, chance))


def strongest(levels: Sequence[Level]) -> Level:
    """The level of all together.

    >>> strongest([Level.NONE, Level.ALARM, Level.WATCH]), strongest([])
    (<Level.ALARM: 'alarm'>, <Level.NONE: 'none'>)
    """
    order = list(Level)
    return max(levels, key=order.index, default=Level.NONE)


def told(shifts: Mapping[str, Shift], words: tuple[float, float, Level] | None) -> str:
    """What was found, in a sentence; of `words` the shares of new ones then and now.

    >>> told({"spam": Shift(0.31, 0.01, Level.ALARM), "threat": Shift(0.02, 0.01, Level.NONE)}, None)
    'scores have clearly moved for spam (0.31)'
    >>> told({"spam": Shift(0.12, 0.01, Level.WATCH)}, (0.04, 0.12, Level.ALARM))
    'scores have somewhat moved for spam (0.12); 12.0 % of the words are new, 4.0 % were then'
    >>> told({}, None)
    'comments score as they did in its first weeks'
    """
    found = []
    for level, word in ((Level.ALARM, "clearly"), (Level.WATCH, "somewhat")):
        moved = [f"{name} ({one.index:.2f})" for name, one in shifts.items() if one.level is level]
        found += [f"scores have {word} moved for {', '.join(moved)}"] if moved else []
    if words is not None and words[2] is not Level.NONE:
        found.append(f"{100 * words[1]:.1f} % of the words are new, {100 * words[0]:.1f} % were then")
    return "; ".join(found) or "comments score as they did in its first weeks"


def _level(index: float, chance: float) -> Level:
    if index < WATCH_FROM or index <= chance:
        return Level.NONE
    return Level.ALARM if index >= ALARM_FROM else Level.WATCH


def _shares(counts: Sequence[int]) -> list[float]:
    whole = sum(counts) + _SMOOTHING * len(counts)
    return [(count + _SMOOTHING) / whole for count in counts]
