"""What another policy would have said of a comment that was judged already."""

from collections.abc import Sequence

from moderation.domain.policy import Finding, PolicySettings, Signals, Verdict, conclude
from moderation.domain.rules import (
    blocked_words,
    category_scores,
    closed_thread,
    everything_held,
    honeypot,
    link_count,
    promises,
    unscored,
)

# These need nothing but the text, its scores and its thread. Whatever else was found (repeats, near-copies)
# rests on what the site knew at that time: it is taken over as it was.
REPLAYED = (
    unscored,
    honeypot,
    closed_thread,
    category_scores,
    promises,
    blocked_words,
    link_count,
    everything_held,
)
_NAMES = frozenset(rule.__name__ for rule in REPLAYED)


def replay(signals: Signals, found_then: Sequence[Finding], settings: PolicySettings) -> Verdict:
    """The verdict of these settings on a comment with these signals, of which that was found at its time."""
    again = [finding for rule in REPLAYED for finding in rule(signals, settings)]
    kept = [finding for finding in found_then if finding.rule not in _NAMES]
    return conclude([*again, *kept], settings)
