"""Promises: what is decided without a person, only while labels prove that enough of it is right.

"At least 99 % of what is published is fine" is kept by a threshold for which it follows from what people
said about comments with such scores. It is proven by the exact bound of a binomial share; the thresholds are
tried in an order that does not depend on what people said, from the safest on, and the first failure ends
it, so that trying many does not weaken the proof (fixed sequence testing: Angelopoulos, Bates, Candes,
Jordan and Lei, "Learn then Test", Annals of Applied Statistics, 2025).

People look at more of the doubtful comments than of the others, so among those labelled below a threshold
the share of wrong ones is if anything too high: the proof errs on the side of holding.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from moderation.domain.binomial import upper_bound

CONFIDENCE = 0.95
# The safest threshold tried has this part of the labels on its safe side: with fewer, one wrong label among
# the few would end everything; with more, little could be published.
FIRST_PART = 1 / 3
# So many thresholds are tried at most.
STEPS = 200


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


def prove(
    promises: Mapping[str, Promise], judged: Sequence[Judged], confidence: float = CONFIDENCE
) -> dict[str, Proven]:
    """What these comments prove of each promise."""
    return {category: _of(category, promise, judged, confidence) for category, promise in promises.items()}


def _of(category: str, promise: Promise, judged: Sequence[Judged], confidence: float) -> Proven:
    labelled = [(one.scores[category], one.labels[category]) for one in judged if category in one.labels]
    hold, reject = None, None
    if promise.publish is not None:
        hold = prove_publishing(labelled, promise.publish, confidence)
    if promise.reject is not None:
        reject = prove_rejecting(labelled, promise.reject, confidence)
    return Proven(hold, reject)


def labels_needed(share: float, confidence: float = CONFIDENCE, wrong: int = 0) -> int:
    """The fewest labels that prove `share`, of which so many may be wrong.

    >>> labels_needed(0.99), labels_needed(0.99, wrong=1), labels_needed(0.9)
    (299, 473, 29)
    """
    low, high = wrong + 1, max(wrong + 2, math.ceil(20 * (wrong + 1) / (1 - share)))
    while low < high:
        middle = (low + high) // 2
        if upper_bound(wrong, middle, confidence) <= 1 - share:
            high = middle
        else:
            low = middle + 1
    return low


def prove_publishing(
    labelled: Sequence[tuple[float, bool]], share: float, confidence: float = CONFIDENCE
) -> Proof:
    """The highest threshold below which at least `share` is fine.

    `labelled`: the score of each comment, and whether publishing it would be wrong.
    """
    return _prove(sorted(labelled), share, confidence)


def prove_rejecting(
    labelled: Sequence[tuple[float, bool]], share: float, confidence: float = CONFIDENCE
) -> Proof:
    """The lowest threshold from which on at least `share` deserves to be rejected.

    `labelled`: the score of each comment, and whether it deserves that.
    """
    turned = sorted((-score, not deserves) for score, deserves in labelled)
    proof = _prove(turned, share, confidence)
    at = None if proof.threshold is None else _at_least(turned, proof.seen)
    return Proof(at, proof.seen, proof.wrong, proof.missing)


def _prove(ordered: Sequence[tuple[float, bool]], share: float, confidence: float) -> Proof:
    """The longest beginning of `ordered` proven, in steps."""
    needed = labels_needed(share, confidence)
    if len(ordered) < needed:
        return Proof(None, len(ordered), sum(wrong for _, wrong in ordered), needed - len(ordered))
    counts = _running(ordered)
    best = 0
    sizes = _sizes(ordered, max(needed, math.ceil(len(ordered) * FIRST_PART)))
    for size in sizes:
        if upper_bound(counts[size], size, confidence) > 1 - share:
            break
        best = size
    if best:
        return Proof(_above(ordered, best), best, counts[best], 0)
    first = sizes[0]
    return Proof(None, first, counts[first], _missing(counts[first], first, share, confidence))


def _running(ordered: Sequence[tuple[float, bool]]) -> list[int]:
    counts = [0]
    for _, wrong in ordered:
        counts.append(counts[-1] + wrong)
    return counts


def _sizes(ordered: Sequence[tuple[float, bool]], first: int) -> list[int]:
    """Where to try: at even steps, but never between equal scores."""
    step = max(1, (len(ordered) - first) // STEPS)
    ends = [size for size in range(first, len(ordered) + 1) if _parts(ordered, size)]
    return [*ends[::step], *ends[-1:]]


def _parts(ordered: Sequence[tuple[float, bool]], size: int) -> bool:
    return size == len(ordered) or ordered[size - 1][0] < ordered[size][0]


def _above(ordered: Sequence[tuple[float, bool]], size: int) -> float:
    """A score above the first `size` and no higher than the next; of higher ones nothing is known."""
    return math.nextafter(ordered[-1][0], 2.0) if size == len(ordered) else ordered[size][0]


def _at_least(turned: Sequence[tuple[float, bool]], size: int) -> float:
    return -turned[size - 1][0]


def _missing(wrong: int, seen: int, share: float, confidence: float) -> int:
    """How many more labels would do if as many of them were wrong; 0: none would."""
    rate = wrong / seen
    if rate >= 1 - share:
        return 0
    more = seen
    while upper_bound(round(rate * more), more, confidence) > 1 - share:
        more = math.ceil(more * 1.1)
        if more > 100 * seen:
            return 0
    return more - seen
