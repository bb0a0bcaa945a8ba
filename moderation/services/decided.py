"""What was decided: to look something up, or to take it back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from moderation.models import Comment, Decision, Submission, Thread
from moderation.services.queue import author_is

# A text or an author is looked for among so many of the latest decisions: no search may read everything.
MOST_SEARCHED = 20_000
PEOPLE = ("moderator", "maintainer")


@dataclass(frozen=True)
class DecidedFilters:
    """Which decisions; None leaves a member out."""

    by: str | None = None
    status: str | None = None
    reason: str | None = None
    moderator: str | None = None
    site: str | None = None
    author: str | None = None
    q: str | None = None


@dataclass(frozen=True)
class Decided:
    """A decision, what it was about, and whether it still stands."""

    decision: Decision
    comment: Comment
    body: str
    thread: Thread

    @property
    def stands(self) -> bool:
        return self.decision.number == self.comment.version


def search_decisions(
    session: Session, filters: DecidedFilters, now: datetime, *, before: str | None = None, limit: int = 20
) -> Sequence[Decided]:
    """The latest decisions with these filters, newest first, beginning below the id `before`."""
    query = (
        select(Decision, Comment, Submission.body, Thread)
        .join(Comment, Comment.id == Decision.comment_id)
        .join(Submission, Submission.id == Decision.submission_id)
        .join(Thread, Thread.id == Comment.thread_id)
        .where(Decision.created_at <= now, *_conditions(filters))
    )
    if filters.q is not None or filters.author is not None:
        oldest = (
            select(Decision.id).order_by(Decision.id.desc()).offset(MOST_SEARCHED).limit(1).scalar_subquery()
        )
        query = query.where(or_(oldest.is_(None), Decision.id > oldest))
    if before is not None:
        query = query.where(Decision.id < before)
    rows = session.execute(query.order_by(Decision.id.desc()).limit(limit))
    return [Decided(row.Decision, row.Comment, row.body, row.Thread) for row in rows]


def _conditions(filters: DecidedFilters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.by == "people":
        found.append(Decision.actor_kind.in_(PEOPLE))
    elif filters.by is not None:
        found.append(Decision.actor_kind == filters.by)
    for column, value in (
        (Decision.status_after, filters.status),
        (Decision.reason, filters.reason),
        (Decision.actor_name, filters.moderator),
        (Decision.site_id, filters.site),
    ):
        if value is not None:
            found.append(column == value)
    if filters.author is not None:
        found.append(author_is(filters.author))
    if filters.q is not None:
        found.append(Submission.body.icontains(filters.q, autoescape=True))
    return found
