"""Charts as plain numbers, drawn as SVG by a template: no library, for it is bars and a scale."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil, log10
from typing import Any

WIDTH, HEIGHT, FOOT = 720.0, 180.0, 22.0
_STEPS = (1, 2, 5, 10)


@dataclass(frozen=True)
class Bar:
    """A rectangle of the drawing, and what it says."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    words: str


@dataclass(frozen=True)
class Chart:
    """Bars with the lines of their scale (value and height) and labels below (text and place)."""

    bars: Sequence[Bar]
    lines: Sequence[tuple[int, float]]
    labels: Sequence[tuple[str, float]]
    highest: int


@dataclass(frozen=True)
class Gain:
    """By how much a model is better in something: where, in a width of 100, its interval lies."""

    name: str
    x: float
    width: float
    kind: str
    value: float
    low: float
    high: float


def gains(intervals: Mapping[str, Mapping[str, float]]) -> list[Gain]:
    """Intervals of differences on one scale, nothing in its middle; good and bad are those wholly beside it.

    >>> [(one.x, one.width, one.kind) for one in gains({"spam": {"mean": 0.2, "low": 0.1, "high": 0.4}})]
    [(62.5, 37.5, 'good')]
    """
    reach = max((abs(one[end]) for one in intervals.values() for end in ("low", "high")), default=0) or 1.0

    def place(value: float) -> float:
        return round(50 + 50 * value / reach, 2)

    return [
        Gain(
            name,
            place(one["low"]),
            round(place(one["high"]) - place(one["low"]), 2),
            "good" if one["low"] > 0 else "bad" if one["high"] < 0 else "unsure",
            one["mean"],
            one["low"],
            one["high"],
        )
        for name, one in intervals.items()
    ]


def top_of_scale(highest: int) -> int:
    """The next number people count by.

    >>> [top_of_scale(n) for n in (0, 1, 3, 7, 11, 99, 120)]
    [1, 1, 5, 10, 20, 100, 200]
    """
    if highest <= 1:
        return 1
    power = 10 ** int(log10(highest))
    return next(int(step * power) for step in _STEPS if step * power >= highest)


def bars_in_pairs(steps: Sequence[dict[str, Any]], names: tuple[str, str], hourly: bool) -> Chart:
    """Two bars for each step of time, such as what came and what was decided."""
    highest = max((step[name] for step in steps for name in names), default=0)
    top, slot = top_of_scale(highest), WIDTH / max(len(steps), 1)
    bars = []
    for n, step in enumerate(steps):
        for which, name in enumerate(names):
            tall = (HEIGHT - FOOT) * step[name] / top
            x = n * slot + slot * (0.12 + 0.38 * which)
            words = f"{_moment(step['at'], hourly)}: {step[name]} {name}"
            bars.append(
                Bar(
                    round(x, 1),
                    round(HEIGHT - FOOT - tall, 1),
                    round(slot * 0.36, 1),
                    round(tall, 1),
                    name,
                    words,
                )
            )
    return Chart(bars, _lines(top), _labels(steps, slot, hourly), highest)


def _lines(top: int) -> list[tuple[int, float]]:
    values = sorted({0, ceil(top / 2), top})
    return [(value, round((HEIGHT - FOOT) * (1 - value / top), 1)) for value in values]


def _labels(steps: Sequence[dict[str, Any]], slot: float, hourly: bool) -> list[tuple[str, float]]:
    every = max(1, ceil(len(steps) / 8))
    return [
        (_moment(step["at"], hourly), round((n + 0.5) * slot, 1))
        for n, step in enumerate(steps)
        if n % every == 0
    ]


def _moment(at: datetime, hourly: bool) -> str:
    return f"{at:%H:%M}" if hourly else f"{at:%-d %b}"
