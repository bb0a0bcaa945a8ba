"""Promises: what is decided without a person, only while labels prove that enough of it is right.

"At least 99 % of what is published is fine" is kept by a threshold for which it follows from what people
said about comments with such scores. It is proven by the exact bound of a binomial share; thresholds are
tried in an order that does not depend on what people said, from a safe one on, and the first failure ends
it, so that trying many does not weaken the proof (fixed sequence testing: Angelopoulos, Bates, Candes,
Jordan and Lei, "Learn then Test", Annals of Applied Statistics, 2025). Of two safe ones to begin with each
gets half of the doubt that is allowed (Bonferroni).

People look at more of the doubtful comments than of the others, so among those labelled below a threshold
the share of wrong ones is if anything too high: the proof errs on the side of holding.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from moderation.domain.binomial import lower_bound, upper_bound

CONFIDENCE = 0.95
# The parts of the labels on the safe side of the thresholds tried first. With few labels there, one wrong
# among them ends everything; with many, little of what is doubtful may be among them.
FIRST_PARTS = (1 / 3, 3 / 5)
# So many thresholds are tried at most.
STEPS = 100


class Side(StrEnum):
    """What is decided without a person."""

    PUBLISH = "publish"
    REJECT = "reject"


@dataclass(frozen=True)
class Promise:
    """The share of right decisions a site wants: of what is published, and of what is rejected; None: any."""

    publish: float | None = None
    reject: float | None = None


@dataclass(frozen=True)
class Proof:
    """A threshold and the labels it rests on; without one, how many labels are missing at least.

    `missing` 0 without a threshold: more labels like these would not help, the model errs too often.
    """

    threshold: float | None
    seen: int
    wrong: int
    missing: int


@dataclass(frozen=True)
class Proven:
    """What is proven for one category: published below `hold`, rejected from `reject`."""

    hold: Proof | None = None
    reject: Proof | None = None


@dataclass(frozen=True)
class Judged:
    """A comment that people said something about: its scores, and for each category they named the truth."""

    scores: Mapping[str, float]
    labels: Mapping[str, bool]


# Where a comment stands, the safest first, and whether deciding it so would be wrong.
_Placed = tuple[float, bool]


def prove(
    promises: Mapping[str, Promise],
    judged: Sequence[Judged],
    confidence: float = CONFIDENCE,
    *,
    before: Mapping[str, Proven] | None = None,
    anew: bool = True,
) -> dict[str, Proven]:
    """What these comments prove of each promise.

    What was proven `before` of the same promise and model stands until labels contradict it: if it had to be
    proven again with every label, the luck of the draw would end it some day. While it stands, nothing else
    is tried unless `anew`: who tries often enough proves anything.
    """
    found = {}
    for category, promise in promises.items():
        labelled = [(one.scores[category], one.labels[category]) for one in judged if category in one.labels]
        old = (before or {}).get(category, Proven())
        found[category] = Proven(
            _of_side(Side.PUBLISH, labelled, promise.publish, confidence, old.hold, anew),
            _of_side(Side.REJECT, labelled, promise.reject, confidence, old.reject, anew),
        )
    return found


def labels_needed(share: float, confidence: float = CONFIDENCE, wrong: int = 0) -> int:
    """The fewest labels that prove `share`, of which so many may be wrong.

    >>> labels_needed(0.99), labels_needed(0.99, wrong=1), labels_needed(0.9)
    (299, 473, 29)
    """
    low, high = wrong + 1, math.ceil(20 * (wrong + 1) / (1 - share))
    while low < high:
        middle = (low + high) // 2
        if _is_proven(wrong, middle, share, confidence):
            high = middle
        else:
            low = middle + 1
    return low


def prove_side(
    side: Side, labelled: Sequence[tuple[float, bool]], share: float, confidence: float = CONFIDENCE
) -> Proof:
    """The threshold that lets most be decided of which `share` is right; `labelled`: scores and labels.

    To publish: the highest, below which it is; to reject: the lowest, from which on it is.
    """
    ordered = _placed(side, labelled)
    each = 1 - (1 - confidence) / len(FIRST_PARTS)
    needed = labels_needed(share, each)
    if len(ordered) < needed:
        return Proof(None, len(ordered), sum(wrong for _, wrong in ordered), needed - len(ordered))
    counts = _running(ordered)
    firsts = [max(needed, math.ceil(len(ordered) * part)) for part in FIRST_PARTS]
    size = max(_longest(ordered, counts, first, share, each) for first in firsts)
    if size:
        return Proof(_threshold(side, ordered[size - 1][0]), size, counts[size], 0)
    first = firsts[0]
    return Proof(None, first, counts[first], _missing(counts[first], first, share, each))


def _of_side(
    side: Side,
    labelled: Sequence[tuple[float, bool]],
    share: float | None,
    confidence: float,
    before: Proof | None,
    anew: bool,
) -> Proof | None:
    if share is None:
        return None
    old = _standing(side, labelled, share, confidence, before)
    if old is not None and not anew:
        return old
    new = prove_side(side, labelled, share, confidence)
    return new if old is None or new.seen > old.seen else old


def _standing(
    side: Side,
    labelled: Sequence[tuple[float, bool]],
    share: float,
    confidence: float,
    before: Proof | None,
) -> Proof | None:
    """What was proven before with the labels of today; None if they contradict it."""
    if before is None or before.threshold is None:
        return None
    edge = _edge(side, before.threshold)
    safe = [wrong for place, wrong in _placed(side, labelled) if place <= edge]
    if lower_bound(sum(safe), len(safe), confidence) > 1 - share:
        return None
    return Proof(before.threshold, len(safe), sum(safe), 0)


def _placed(side: Side, labelled: Sequence[tuple[float, bool]]) -> list[_Placed]:
    if side is Side.PUBLISH:
        return sorted(labelled)
    return sorted((-score, not deserves) for score, deserves in labelled)


def _threshold(side: Side, edge: float) -> float:
    """The threshold on whose safe side the last place is `edge`: below it, or from it on."""
    return math.nextafter(edge, math.inf) if side is Side.PUBLISH else -edge


def _edge(side: Side, threshold: float) -> float:
    return math.nextafter(threshold, -math.inf) if side is Side.PUBLISH else -threshold


def _longest(
    ordered: Sequence[_Placed], counts: Sequence[int], first: int, share: float, confidence: float
) -> int:
    """How many of the safest are proven, beginning with `first`; 0 if these are not."""
    best = 0
    for size in _sizes(ordered, first):
        if not _is_proven(counts[size], size, share, confidence):
            break
        best = size
    return best


def _sizes(ordered: Sequence[_Placed], first: int) -> list[int]:
    """Where to try: at even steps, but never between equal scores."""
    step = max(1, (len(ordered) - first) // STEPS)
    ends = [size for size in range(first, len(ordered) + 1) if _parts(ordered, size)]
    return [*ends[:-1:step], *ends[-1:]]


def _parts(ordered: Sequence[_Placed], size: int) -> bool:
    return size == len(ordered) or ordered[size - 1][0] < ordered[size][0]


def _running(ordered: Sequence[_Placed]) -> list[int]:
    counts = [0]
    for _, wrong in ordered:
        counts.append(counts[-1] + wrong)
    return counts


@lru_cache(maxsize=1 << 14)
def _is_proven(wrong: int, seen: int, share: float, confidence: float) -> bool:
    return upper_bound(wrong, seen, confidence) <= 1 - share


def _missing(wrong: int, seen: int, share: float, confidence: float) -> int:
    """How many more labels would do if as many of them were wrong; 0: none would."""
    rate, more = wrong / seen, seen
    if rate >= 1 - share:
        return 0
    while not _is_proven(round(rate * more), more, share, confidence):
        more = math.ceil(more * 1.1)
        if more > 100 * seen:
            return 0
    return more - seen
