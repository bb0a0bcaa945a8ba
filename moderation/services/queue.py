"""Reading the queue of held comments: filters, orders and pages that do not skip."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, tuple_
from sqlalchemy.orm import Session

from moderation.domain.policy import CATEGORIES
from moderation.models import Comment, Decision, Moderator, QueueItem, Score, Submission, Thread
from moderation.services.errors import NotFound

# A category filter without a score means: at least as likely as not.
LIKELY = 0.5
CONTEXT_COMMENTS = 5
# An author's latest are counted: one who sends thousands must not make the desk wait.
MOST_OF_AN_AUTHOR = 1000


class Sort(StrEnum):
    """The orders of the queue."""

    DUE = "due"
    SCORE = "score"
    UNCERTAINTY = "uncertainty"
    NEWEST = "newest"

    @property
    def stable(self) -> bool:
        """Whether an item's place never changes; a report moves one up in the order of urgency."""
        return self is not Sort.DUE


@dataclass(frozen=True)
class QueueFilters:
    """What part of the queue to show; None leaves a member out."""

    site: str | None = None
    thread: str | None = None
    reason: str | None = None
    category: str | None = None
    min_score: float | None = None
    max_score: float | None = None
    author: str | None = None
    language: str | None = None
    reported: bool | None = None
    escalated: bool | None = None
    claimed: bool | None = None
    # The id of the moderator whose claims are meant.
    claimed_by: str | None = None
    q: str | None = None


@dataclass(frozen=True)
class QueueEntry:
    """One queue item with all that a moderator needs to see."""

    item: QueueItem
    comment: Comment
    submission: Submission
    thread: Thread
    scores: dict[str, float] | None
    claimed_by: str | None


@dataclass(frozen=True)
class ItemContext:
    """What surrounds one item: its neighbours in the thread, the author's history, its decisions."""

    thread: list[tuple[Comment, str]]
    author_history: dict[str, int]
    decisions: Sequence[Decision]


def list_queue(
    session: Session,
    filters: QueueFilters,
    now: datetime,
    *,
    sort: Sort = Sort.DUE,
    after: tuple[Any, str] | None = None,
    limit: int = 50,
) -> list[QueueEntry]:
    """The open items in the order asked for, beginning after the sort key and id of `after`."""
    key, descending = _order(sort)
    # Only their ids at first: to sort thousands of rows with texts and all to show fifty takes long.
    query = open_items(filters, now)
    if after is not None:
        position = tuple_(key, QueueItem.id)
        query = query.where(position < after if descending else position > after)
    order = (key.desc(), QueueItem.id.desc()) if descending else (key, QueueItem.id)
    return entries_by_id(session, session.scalars(query.order_by(*order).limit(limit)).all())


def open_items(filters: QueueFilters, now: datetime, *more: Any) -> Select[*tuple[Any, ...]]:
    """The ids (and `more` columns) of the open items the filters leave, joined with what they look at."""
    query = select(QueueItem.id, *more).select_from(QueueItem)
    looks_further = (filters.thread, filters.category, filters.author, filters.q)
    if any(value is not None for value in looks_further):
        query = joined(query)
    return query.where(QueueItem.closed_at.is_(None), *conditions(filters, now))


def entries_by_id(session: Session, ids: Sequence[str]) -> list[QueueEntry]:
    """The items of these ids, in this order."""
    found = {
        row.QueueItem.id: _entry(row) for row in session.execute(_entries().where(QueueItem.id.in_(ids)))
    }
    return [found[item_id] for item_id in ids if item_id in found]


def get_entry(session: Session, item_id: str) -> QueueEntry:
    """One item, open or closed; raises NotFound."""
    entries = entries_by_id(session, [item_id])
    if not entries:
        raise NotFound("queue item")
    return entries[0]


def open_item_of(session: Session, comment_id: str) -> str | None:
    """The id of a comment's open item, if it has one."""
    return session.scalar(
        select(QueueItem.id).where(QueueItem.comment_id == comment_id, QueueItem.closed_at.is_(None))
    )


def get_context(session: Session, entry: QueueEntry) -> ItemContext:
    """The comments before it in its thread, what became of the author's others, and its decisions."""
    neighbours = session.execute(
        select(Comment, Submission.body)
        .join(Submission, Submission.id == Comment.submission_id)
        .where(
            Comment.thread_id == entry.comment.thread_id,
            Comment.id < entry.comment.id,
            Comment.status == "approved",
        )
        .order_by(Comment.id.desc())
        .limit(CONTEXT_COMMENTS)
    )
    decisions = session.scalars(
        select(Decision).where(Decision.comment_id == entry.comment.id).order_by(Decision.number)
    )
    thread = [(row.Comment, row.body) for row in neighbours][::-1]
    return ItemContext(thread, _author_history(session, entry.comment), decisions.all())


def sort_value(entry: QueueEntry, sort: Sort) -> Any:
    """The value by which an entry is sorted."""
    item = entry.item
    if sort is Sort.UNCERTAINTY:
        return abs(item.top_score - LIKELY)
    return {Sort.DUE: item.due_at, Sort.SCORE: item.top_score, Sort.NEWEST: item.opened_at}[sort]


def conditions(filters: QueueFilters, now: datetime) -> list[ColumnElement[bool]]:
    """The filters as SQL conditions on an item joined with its comment, thread, text and scores."""
    found: list[ColumnElement[bool]] = []
    if filters.site is not None:
        found.append(QueueItem.site_id == filters.site)
    if filters.thread is not None:
        # The second condition says nothing new, but with a site it lets the thread be found by its index.
        found.extend((Thread.key == filters.thread, Thread.site_id == QueueItem.site_id))
    if filters.reason is not None:
        found.append(QueueItem.reason == filters.reason)
    if filters.q is not None:
        found.append(Submission.body.icontains(filters.q, autoescape=True))
    if filters.author is not None:
        found.append(author_is(filters.author))
    if filters.language is not None:
        found.append(QueueItem.language == filters.language)
    if filters.reported is not None:
        found.append(QueueItem.reports > 0 if filters.reported else QueueItem.reports == 0)
    if filters.escalated is not None:
        escalated = QueueItem.escalated_at.is_not(None)
        found.append(escalated if filters.escalated else ~escalated)
    return found + _score_conditions(filters) + _claim_conditions(filters, now)


def is_free(now: datetime) -> ColumnElement[bool]:
    """Nobody holds the item."""
    return or_(QueueItem.claimed_until.is_(None), QueueItem.claimed_until < now)


def joined(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Join an item with what the filters look at."""
    return (
        query.join(Comment, Comment.id == QueueItem.comment_id)
        .join(Submission, Submission.id == QueueItem.submission_id)
        .join(Thread, Thread.id == Comment.thread_id)
        .outerjoin(
            Score,
            and_(
                Score.submission_id == QueueItem.submission_id, Score.model_version == QueueItem.model_version
            ),
        )
    )


def _entries() -> Select[*tuple[Any, ...]]:
    return joined(
        select(QueueItem, Comment, Submission, Thread, Score, Moderator.name.label("claimed_by"))
        .select_from(QueueItem)
        .outerjoin(Moderator, Moderator.id == QueueItem.claimed_by)
    )


def _entry(row: Any) -> QueueEntry:
    scores = row.Score.by_category() if row.Score is not None else None
    return QueueEntry(row.QueueItem, row.Comment, row.Submission, row.Thread, scores, row.claimed_by)


def _order(sort: Sort) -> tuple[Any, bool]:
    return {
        Sort.DUE: (QueueItem.due_at, False),
        Sort.SCORE: (QueueItem.top_score, True),
        # Where the model is least sure a person's word teaches most.
        Sort.UNCERTAINTY: (func.abs(QueueItem.top_score - LIKELY), False),
        Sort.NEWEST: (QueueItem.opened_at, True),
    }[sort]


def author_is(author: str) -> ColumnElement[bool]:
    """The site's id or the address of an author exactly, or a part of the name."""
    return or_(
        Comment.author_key.in_([f"id:{author}", f"email:{author.casefold()}"]),
        Comment.author["name"].as_string().icontains(author, autoescape=True),
    )


def _score_conditions(filters: QueueFilters) -> list[ColumnElement[bool]]:
    column, lowest = QueueItem.top_score, filters.min_score
    if filters.category is not None:
        column = getattr(Score, CATEGORIES[CATEGORIES.index(filters.category)])
        if lowest is None and filters.max_score is None:
            lowest = LIKELY
    found: list[ColumnElement[bool]] = [] if lowest is None else [column >= lowest]
    return found if filters.max_score is None else [*found, column <= filters.max_score]


def _claim_conditions(filters: QueueFilters, now: datetime) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.claimed is not None:
        found.append(~is_free(now) if filters.claimed else is_free(now))
    if filters.claimed_by is not None:
        found.extend((QueueItem.claimed_by == filters.claimed_by, QueueItem.claimed_until >= now))
    return found


def _author_history(session: Session, comment: Comment) -> dict[str, int]:
    if comment.author_key is None:
        return {}
    latest = (
        select(Comment.status)
        .where(
            Comment.site_id == comment.site_id,
            Comment.author_key == comment.author_key,
            Comment.id != comment.id,
        )
        .order_by(Comment.id.desc())
        .limit(MOST_OF_AN_AUTHOR)
        .subquery()
    )
    rows = session.execute(select(latest.c.status, func.count()).group_by(latest.c.status))
    return {status: count for status, count in rows}  # noqa: C416 - rows are not tuples to the type checker
