"""Scores on the scale that clients of other services know, from this service's own points of operation.

Their thresholds were chosen on another model's scores. What carries over is what a threshold is for: from 0.5
a person should look, from 0.9 it is nearly sure. So a category's hold threshold becomes 0.5 and its reject
threshold 0.9, between them the log-odds run straight on, and beyond them as steeply as they are.
"""

from math import exp, log

from moderation.domain.policy import Threshold

LOOK, SURE = 0.5, 0.9
_SURE_ODDS = log(SURE / (1 - SURE))
# Where a model gives no points: as they are.
PLAIN = Threshold(reject=None, hold=0.5)
_SMALLEST = 1e-6


def on_their_scale(score: float, point: Threshold) -> float:
    """A score from 0 to 1 that rises with the model's.

    >>> point = Threshold(reject=0.8, hold=0.2)
    >>> [round(on_their_scale(score, point), 2) for score in (0.0, 0.2, 0.5, 0.8, 1.0)]
    [0.0, 0.5, 0.75, 0.9, 1.0]
    """
    odds, look = _odds(score), _odds(point.hold)
    if point.reject is None or point.reject <= point.hold or odds <= look:
        return _share(odds - look)
    sure = _odds(point.reject)
    if odds >= sure:
        return _share(_SURE_ODDS + odds - sure)
    return _share((odds - look) / (sure - look) * _SURE_ODDS)


def _odds(share: float) -> float:
    share = min(max(share, _SMALLEST), 1 - _SMALLEST)
    return log(share / (1 - share))


def _share(odds: float) -> float:
    return round(1 / (1 + exp(-odds)), 6)
