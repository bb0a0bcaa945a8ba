"""The policy's memory: what people decided on near-copies, before any model learns of it.

A rejection counts for near-copies at once, and no longer when it is taken back. It is not trusted blindly:
one rejection only holds, unless nearly the whole of a long text is the same; what people approved as well is
left to people; and no approval lets pass what anything else speaks against.
"""

from collections.abc import Iterator, Sequence

from moderation.domain.policy import CATEGORIES, Finding, PolicySettings, Precedent, Signals
from moderation.domain.status import Action

# Texts of fewer pairs of words ("thanks for sharing this great post") are much alike by chance.
LEAST_PAIRS = 8
# The share of pairs from which one text counts as a near-copy of another. Of 3,100 genuine comments of that
# length none had a fifth in common with any of 480 spam comments.
ALIKE = 0.2
# A campaign may change its texts more than that; then several of them, if not short, tell what one does not.
FAINTLY_ALIKE, SEVERAL, NOT_SHORT = 0.12, 3, 12
# From where several rejections reject another, and from where a single one of a long text does.
MUCH_ALIKE, THE_SAME, LONG = 0.3, 0.9, 20
# Other reasons ("off topic", "a duplicate") tell of the place and the time, not of the text alone.
OF_THE_TEXT = frozenset({"spam", "toxic", *CATEGORIES})

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def near_copies(signals: Signals, settings: PolicySettings) -> Iterator[Finding]:
    """A near-copy of what people rejected, or only of what they approved."""
    if not settings.memory_days or not signals.precedents:
        return
    rejected = [one for one in signals.precedents if not one.approved]
    approved = [one for one in signals.precedents if one.approved and one.similarity >= ALIKE]
    against = max(rejected, key=_likeness, default=None)
    if against is not None and (against.similarity >= ALIKE or _is_campaign(rejected)):
        nearer = [one for one in approved if one.similarity >= against.similarity]
        sure = _beyond_doubt(rejected, settings)
        # Where people approved as many that are nearer, what they rejected one for is not in the text.
        if sure or len(nearer) < len(rejected):
            yield _finding(against, Action.REJECT if sure and not approved else Action.HOLD)
            return
    if approved:
        yield _finding(max(approved, key=_likeness), Action.APPROVE)


def _is_campaign(rejected: Sequence[Precedent]) -> bool:
    return _acts([one for one in rejected if one.size >= NOT_SHORT], FAINTLY_ALIKE) >= SEVERAL


def _beyond_doubt(rejected: Sequence[Precedent], settings: PolicySettings) -> bool:
    """Several rejections that people made one by one, or one of nearly the same long text."""
    telling = [one for one in rejected if one.reason in OF_THE_TEXT]
    same = any(one.similarity >= THE_SAME and one.size >= LONG for one in telling)
    needed = settings.memory_rejections
    return needed > 0 and (same or _acts(telling, MUCH_ALIKE) >= needed)


def _acts(precedents: Sequence[Precedent], least: float) -> int:
    """How often people decided on texts so much alike; what was decided together was decided once."""
    return len({one.batch_id or one.decision_id for one in precedents if one.similarity >= least})


def _likeness(precedent: Precedent) -> float:
    return precedent.similarity


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
