"""How right decisions are, as far as labels tell: of what would be published or rejected without a person.

Most labels are of comments that a person looked at because the model doubted; of what is decided without one
only spot checks tell, a few drawn by chance. Each label therefore stands for as many comments as its chance
of being drawn says (Horvitz and Thompson, "A generalization of sampling without replacement from a finite
universe", JASA 47, 1952). The bounds are exact ones for as many equally weighted labels as these are worth
(L. Kish, "Survey Sampling", Wiley 1965).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from moderation.domain.binomial import interval

CONFIDENCE = 0.95
# What has to be known before a comment can be called fine: an approval teaches both.
_NEEDED = ("spam", "toxicity")


@dataclass(frozen=True)
class Rightness:
    """Of labelled comments with one outcome how many are wrong; of all the share right, with bounds."""

    labelled: int
    wrong: int
    share: float | None
    low: float | None
    high: float | None


def deserves_rejection(labels: Mapping[str, bool]) -> bool | None:
    """Whether a comment is to be kept out; None when its labels do not tell.

    >>> deserves_rejection({"spam": True}), deserves_rejection({"spam": False, "toxicity": False})
    (True, False)
    >>> deserves_rejection({"spam": False}) is None
    True
    """
    if any(labels.values()):
        return True
    return False if all(category in labels for category in _NEEDED) else None


def rightness(judged: Sequence[tuple[bool, float]]) -> Rightness:
    """From whether each was wrong, and the chance with which its label was drawn.

    >>> found = rightness([(False, 1.0)] * 98 + [(True, 1.0)] * 2)
    >>> found.share, round(found.low, 2), round(found.high, 3)
    (0.98, 0.93, 0.998)
    >>> rightness([(False, 0.01), (True, 1.0)]).share
    0.9901
    >>> rightness([]).share is None
    True
    """
    weights = [1 / chance for _, chance in judged]
    wrong = sum(is_wrong for is_wrong, _ in judged)
    if not weights:
        return Rightness(0, 0, None, None, None)
    share = sum(weight for (is_wrong, _), weight in zip(judged, weights, strict=True) if is_wrong) / sum(
        weights
    )
    # Rounded against ourselves: fewer labels, more of them wrong.
    worth = max(int(sum(weights) ** 2 / sum(weight**2 for weight in weights) + 1e-9), 1)
    low, high = interval(min(ceil(share * worth - 1e-9), worth), worth, CONFIDENCE)
    return Rightness(len(judged), wrong, round(1 - share, 4), round(1 - high, 4), round(1 - low, 4))
