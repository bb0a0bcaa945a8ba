"""The circuit breaker: when a new model is to be taken out of force again without waiting for a person.

Two signs, each against the model before: people correct more of what it decided without them, or it approves
a clearly other share of what comes. Each has to be beyond doubt (exact intervals that do not touch) and large
enough to matter, for a rollback is a loud thing.

A site is compared with itself. What changes because other sites come, or some more often, is no sign of a bad
model; and a model that fails one site goes, however well it does elsewhere. Approvals are not looked at site
by site: spam that pours over one of them moves its share, and the model is right about it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from moderation.domain.binomial import interval, lower_bound, upper_bound

CONFIDENCE = 0.99
# With fewer decisions of each model nothing is said.
FEWEST = 200
# So much more of its decisions must have been corrected, and so much must the share approved have moved.
MORE_CORRECTED, APPROVAL_MOVED = 0.01, 0.15


@dataclass(frozen=True)
class Record:
    """What became of one model version's decisions: of all how many approved; without a person, corrected.

    `unproven`: held only because a promise was not proven yet.
    """

    decided: int
    approved: int
    automatic: int
    corrected: int
    unproven: int = 0


def trips(before: Mapping[str, Record], after: Mapping[str, Record]) -> str | None:
    """Why the newer model is to be rolled back, with the figures, from both records of each site; or None.

    >>> trips({"a": Record(1000, 800, 900, 2)}, {"a": Record(1000, 790, 900, 3)}) is None
    True
    >>> trips({"a": Record(1000, 800, 900, 2)}, {"a": Record(1000, 800, 900, 60)})
    'people corrected 6.7 % of what it decided without them (60 of 900), 0.2 % before'
    >>> trips({"a": Record(1000, 800, 900, 2)}, {"a": Record(400, 120, 300, 0)})
    'it approves 30 % of what comes, 80 % were approved before'
    """
    pairs = [(before[site], after[site]) for site in sorted(before.keys() & after.keys())]
    if not pairs:
        return None
    together = pairs[0] if len(pairs) == 1 else _matched(pairs)
    looks = [together] if len(pairs) == 1 else [together, *pairs]
    # The more there are to look at, the more look bad by chance.
    confidence = 1 - (1 - CONFIDENCE) / len(looks)
    reasons = [_approvals(*together), *(_corrections(*look, confidence) for look in looks)]
    return next((reason for reason in reasons if reason is not None), None)


def _matched(pairs: Sequence[tuple[Record, Record]]) -> tuple[Record, Record]:
    """The records of all sites together, as if each had sent as much to both models."""
    return _sum(_cut(one, other) for one, other in pairs), _sum(_cut(other, one) for one, other in pairs)


def _cut(record: Record, other: Record) -> tuple[float, ...]:
    """What a record would be of no more than the other one's; of what may wait for a proof, nothing."""
    decided = 0 if record.unproven or other.unproven else min(record.decided, other.decided)
    automatic = min(record.automatic, other.automatic)
    approved = decided * _share(record.approved, record.decided)
    return decided, approved, automatic, automatic * _share(record.corrected, record.automatic)


def _sum(parts: Iterable[tuple[float, ...]]) -> Record:
    return Record(*(round(sum(figures)) for figures in zip(*parts, strict=True)))


def _corrections(before: Record, after: Record, confidence: float) -> str | None:
    if min(before.automatic, after.automatic) < FEWEST:
        return None
    then = upper_bound(before.corrected, before.automatic, confidence)
    now = lower_bound(after.corrected, after.automatic, confidence)
    if now <= then or _share(after.corrected, after.automatic) < then + MORE_CORRECTED:
        return None
    shares = (f"{100 * _share(one.corrected, one.automatic):.1f} %" for one in (after, before))
    new, old = shares
    return (
        f"people corrected {new} of what it decided without them ({after.corrected} of {after.automatic}), "
        f"{old} before"
    )


def _approvals(before: Record, after: Record) -> str | None:
    # What waits for a proof says nothing of the model: every new one begins so where something is promised.
    if min(before.decided, after.decided) < FEWEST or before.unproven or after.unproven:
        return None
    low, high = interval(before.approved, before.decided, CONFIDENCE)
    new_low, new_high = interval(after.approved, after.decided, CONFIDENCE)
    old, new = _share(before.approved, before.decided), _share(after.approved, after.decided)
    if abs(new - old) < APPROVAL_MOVED or not (new_low > high or new_high < low):
        return None
    return f"it approves {100 * new:.0f} % of what comes, {100 * old:.0f} % were approved before"


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
