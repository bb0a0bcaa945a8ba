"""Decided comments much like a given one, so that a moderator sees what was done before."""

import re
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from moderation.models import Comment, Submission

# Compared are the latest decided comments of the site; enough to find a campaign, little enough to be quick.
COMPARED = 500
SHOWN = 3
LEAST_SIMILARITY = 0.2
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Similar:
    """A decided comment and how much it shares with the given one, from 0 to 1."""

    comment_id: str
    body: str
    status: str
    reason: str | None
    similarity: float


def find_similar(session: Session, comment: Comment, body: str) -> list[Similar]:
    """The most similar decided comments of the site by the Jaccard index of their words, best first."""
    words = _words(body)
    rows = session.execute(
        select(Comment.id, Comment.status, Comment.reason, Submission.body)
        .join(Submission, Submission.id == Comment.submission_id)
        .where(
            Comment.site_id == comment.site_id,
            Comment.id != comment.id,
            or_(Comment.status == "approved", Comment.status == "rejected"),
        )
        .order_by(Comment.id.desc())
        .limit(COMPARED)
    )
    found = [Similar(r.id, r.body, r.status, r.reason, jaccard(words, _words(r.body))) for r in rows]
    close = [one for one in found if one.similarity >= LEAST_SIMILARITY]
    return sorted(close, key=lambda one: -one.similarity)[:SHOWN]


def jaccard(left: set[str], right: set[str]) -> float:
    """The share of words two texts have in common.

    >>> jaccard({"buy", "now"}, {"buy", "here"})
    0.333
    """
    union = len(left | right)
    return round(len(left & right) / union, 3) if union else 0.0


def _words(body: str) -> set[str]:
    return set(_WORD.findall(body.casefold()))
