"""What a blog reads back: one comment's fate, and the approved comments of a thread."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from moderation.domain.status import Status
from moderation.models import Comment, Decision, Submission, Thread, new_id
from moderation.services.accept import insert_unless_present
from moderation.services.errors import NotFound


@dataclass(frozen=True)
class CommentView:
    """A comment with its latest text (None once removed), its thread and its latest decision."""

    comment: Comment
    body: str | None
    thread: Thread
    decision: Decision | None


def get_comment(session: Session, comment_id: str, site_id: str | None = None) -> CommentView:
    """One comment, of this site if one is named; raises NotFound."""
    row = session.execute(
        select(Comment, Submission.body, Thread, Decision)
        .join(Submission, Submission.id == Comment.submission_id)
        .join(Thread, Thread.id == Comment.thread_id)
        .outerjoin(Decision, (Decision.comment_id == Comment.id) & (Decision.number == Comment.version))
        .where(Comment.id == comment_id)
    ).one_or_none()
    if row is None or (site_id is not None and row.Comment.site_id != site_id):
        raise NotFound("comment")
    body = None if row.Comment.status == Status.REMOVED else row.body
    return CommentView(row.Comment, body, row.Thread, row.Decision)


def comment_status(session: Session, comment_id: str) -> tuple[Status, str | None]:
    """Only status and reason, for those who wait for them; raises NotFound."""
    row = session.execute(
        select(Comment.status, Comment.reason).where(Comment.id == comment_id)
    ).one_or_none()
    if row is None:
        raise NotFound("comment")
    return Status(row.status), row.reason


def list_approved(
    session: Session, site_id: str, thread_key: str, *, after: str | None = None, limit: int = 50
) -> Sequence[tuple[Comment, str]]:
    """Approved comments of a thread with their text, oldest first; an unknown thread has none."""
    query = (
        select(Comment, Submission.body)
        .join(Thread, Thread.id == Comment.thread_id)
        .join(Submission, Submission.id == Comment.submission_id)
        .where(Thread.site_id == site_id, Thread.key == thread_key, Comment.status == Status.APPROVED)
        .order_by(Comment.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(Comment.id > after)
    return [(row.Comment, row.body) for row in session.execute(query)]


def put_thread(
    session: Session,
    site_id: str,
    key: str,
    *,
    url: str | None,
    title: str | None,
    closed: bool | None,
    now: datetime,
) -> Thread:
    """Describe, close or open a thread, making it if it is new; None leaves a member as it is."""
    new = Thread(id=new_id("th"), site_id=site_id, key=key, closed=False, created_at=now)
    insert_unless_present(session, new)
    query = select(Thread).where(Thread.site_id == site_id, Thread.key == key)
    thread = session.scalars(query.with_for_update()).one()
    thread.url = thread.url if url is None else url
    thread.title = thread.title if title is None else title
    thread.closed = thread.closed if closed is None else closed
    return thread
