"""The circuit breaker: when a new model is to be taken out of force again without waiting for a person.

Two signs, each against the model before: people correct more of what it decided without them, or it approves
a clearly other share of what comes. Each has to be beyond doubt (exact intervals that do not touch) and large
enough to matter, for a rollback is a loud thing.
"""

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


def trips(before: Record, after: Record) -> str | None:
    """Why the newer model is to be rolled back, with the figures; None while there is no reason.

    >>> trips(Record(1000, 800, 900, 2), Record(1000, 790, 900, 3)) is None
    True
    >>> trips(Record(1000, 800, 900, 2), Record(1000, 800, 900, 60))
    'people corrected 6.7 % of what it decided without them (60 of 900), 0.2 % before'
    >>> trips(Record(1000, 800, 900, 2), Record(400, 120, 300, 0))
    'it approves 30 % of what comes, 80 % were approved before'
    """
    return _corrections(before, after) or _approvals(before, after)


def _corrections(before: Record, after: Record) -> str | None:
    if min(before.automatic, after.automatic) < FEWEST:
        return None
    then = upper_bound(before.corrected, before.automatic, CONFIDENCE)
    now = lower_bound(after.corrected, after.automatic, CONFIDENCE)
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
