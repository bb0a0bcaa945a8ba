"""What a moderator wants to know before deciding: who wrote it, what it answers, and what came after."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import Session

from moderation.models import Comment, Decision, Submission

SHOWN, SHOWN_AFTER = 5, 3


@dataclass(frozen=True)
class Told:
    """A comment with its present text and the decision that stands, if it was decided."""

    comment: Comment
    body: str
    decision: Decision | None


@dataclass(frozen=True)
class AuthorPast:
    """What the site knows of an author: since when, and their latest decided comments, newest first."""

    first_seen: datetime
    latest: Sequence[Told]


@dataclass(frozen=True)
class Around:
    """The comment that this one answers, and approved comments of the thread that came after it."""

    parent: Told | None
    after: Sequence[Told]


def author_past(session: Session, comment: Comment) -> AuthorPast | None:
    """The author's past on the site, but for this comment; None when the author is not known by anything."""
    if comment.author_key is None:
        return None
    theirs = and_(Comment.site_id == comment.site_id, Comment.author_key == comment.author_key)
    first = session.scalar(select(Comment.created_at).where(theirs).order_by(Comment.id).limit(1))
    decided = Comment.status.in_(("approved", "rejected"))
    latest = _told(session, theirs, decided, Comment.id != comment.id, newest=True, most=SHOWN)
    return AuthorPast(first or comment.created_at, latest)


def around(session: Session, comment: Comment) -> Around:
    """What surrounds the comment, beside the approved ones before it."""
    parents = _told(session, Comment.id == comment.parent_id, most=1) if comment.parent_id else []
    after = _told(
        session,
        Comment.thread_id == comment.thread_id,
        Comment.status == "approved",
        Comment.id > comment.id,
        most=SHOWN_AFTER,
    )
    return Around(parents[0] if parents else None, after)


def _told(session: Session, *which: Any, newest: bool = False, most: int) -> list[Told]:
    order = Comment.id.desc() if newest else Comment.id
    rows = session.execute(_with_decision().where(*which).order_by(order).limit(most))
    return [Told(row.Comment, row.body, row.Decision) for row in rows]


def _with_decision() -> Select[*tuple[Any, ...]]:
    return (
        select(Comment, Submission.body, Decision)
        .join(Submission, Submission.id == Comment.submission_id)
        .outerjoin(Decision, and_(Decision.comment_id == Comment.id, Decision.number == Comment.version))
    )
