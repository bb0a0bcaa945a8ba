"""Spot checks: some of what was decided without a person is shown to one, drawn by lot.

Only so can be known what passes unseen: what people look at otherwise was chosen by the policy itself.
"""

import hashlib

from moderation.domain.policy import Finding, Verdict
from moderation.domain.status import Action

SPOT_CHECK = "spot_check"
# Nothing about the text led to these.
_NOT_OF_THE_TEXT = {"thread_closed"}
_ALL = 1 << 64


def is_drawn(submission_id: str, share: float) -> bool:
    """Whether the lot falls on a submission: on this share of all, and for one always the same way.

    The random part of an id is not known to its author before it is stored.

    >>> [is_drawn("sub_1", share) for share in (0.0, 1.0)]
    [False, True]
    """
    lot = int.from_bytes(hashlib.blake2b(submission_id.encode(), digest_size=8).digest())
    return lot < share * _ALL


def checkable(verdict: Verdict) -> bool:
    """Whether a person could tell that the verdict is wrong; what is held is looked at anyway."""
    return verdict.outcome is not Action.HOLD and verdict.reason not in _NOT_OF_THE_TEXT


def told(verdict: Verdict) -> Finding:
    """Why the item is there, in words."""
    did = "published" if verdict.outcome is Action.APPROVE else "rejected"
    return Finding(
        "spot_check", Action.HOLD, SPOT_CHECK, f"drawn by lot: it was {did} without a person; was that right?"
    )
