"""The policy's memory: what people decided on near-copies, before any model learns of it.

A rejection counts for a near-copy at once, and no longer when it is taken back. It is not trusted blindly:
one rejection only holds, unless nearly the whole of a long text is the same; what people approved as well is
left to people; and no approval lets pass what anything else speaks against.
"""

from collections.abc import Iterator, Sequence

from moderation.domain.policy import CATEGORIES, Finding, PolicySettings, Precedent, Signals
from moderation.domain.status import Action

# Texts of fewer pairs of words ("thanks for sharing this great post") are much alike by chance.
LEAST_PAIRS = 8
# The share of pairs from which one text counts as a near-copy of the other. Of 3,100 genuine comments none
# had a fifth in common with any of 500 spam comments.
ALIKE = 0.25
# From where several rejections reject another, and from where a single one of a long text does.
MUCH_ALIKE, THE_SAME, LONG = 0.4, 0.8, 20
# Other reasons ("off topic", "a duplicate") tell of the place and the time, not of the text alone.
OF_THE_TEXT = frozenset({"spam", "toxic", *CATEGORIES})

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def near_copies(signals: Signals, settings: PolicySettings) -> Iterator[Finding]:
    """A near-copy of what people rejected, or only of what they approved."""
    rejected = [one for one in signals.precedents if not one.approved]
    approved = [one for one in signals.precedents if one.approved]
    nearest = max(signals.precedents, key=lambda one: one.similarity, default=None)
    if nearest is None or not settings.memory_days:
        return
    # As often and as nearly like something approved: people rejected one for what the text does not show.
    if not rejected or (nearest.approved and len(approved) >= len(rejected)):
        yield _finding(nearest, Action.APPROVE)
        return
    sure = not approved and _beyond_doubt(rejected, settings)
    yield _finding(max(rejected, key=lambda one: one.similarity), Action.REJECT if sure else Action.HOLD)


def _beyond_doubt(rejected: Sequence[Precedent], settings: PolicySettings) -> bool:
    """Several rejections that people made one by one, or one of nearly the same long text."""
    if not settings.memory_rejections:
        return False
    telling = [one for one in rejected if one.reason in OF_THE_TEXT]
    # What was decided together was decided once.
    acts = {one.batch_id or one.decision_id for one in telling if one.similarity >= MUCH_ALIKE}
    same = any(one.similarity >= THE_SAME and one.size >= LONG for one in telling)
    return same or len(acts) >= settings.memory_rejections


def _finding(nearest: Precedent, outcome: Action) -> Finding:
    done = "approved" if nearest.approved else f"rejected as {nearest.reason.replace('_', ' ')}"
    detail = (
        f"near-copy of a comment {done} {ago(nearest.seconds_ago)} earlier ({nearest.similarity:.0%} alike)"
    )
    reason = nearest.reason if nearest.reason in OF_THE_TEXT else "near_copy"
    return Finding("near_copies", outcome, reason, detail, decision_id=nearest.decision_id)


def ago(seconds: float) -> str:
    """A time that has passed, in words.

    >>> ago(5), ago(60), ago(7_300), ago(200_000)
    ('seconds', '1 minute', '2 hours', '2 days')
    """
    for length, name in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        count = int(seconds // length)
        if count:
            return f"{count} {name}{'s' if count > 1 else ''}"
    return "seconds"
