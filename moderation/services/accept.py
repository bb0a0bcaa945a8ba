"""Taking comments in: accept, edit and withdraw."""

import hashlib
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from moderation.domain.status import Action, Status
from moderation.models import Base, Comment, IdempotencyKey, Submission, Thread, new_id
from moderation.services.decide import AUTHOR, Act, record_decision
from moderation.services.errors import ExternalIdTaken, KeyReused, NotFound, ParentNotFound
from moderation.services.tally import note


@dataclass(frozen=True)
class NewComment:
    """A comment as handed in, already checked for form."""

    thread_key: str
    body: str
    author: dict[str, Any]
    thread_url: str | None = None
    thread_title: str | None = None
    parent_id: str | None = None
    external_id: str | None = None
    context: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Idempotency:
    """The caller's Idempotency-Key and a digest of the request it stands for."""

    key: str
    request_digest: str


@dataclass(frozen=True)
class Accepted:
    """The id of the comment, and whether this call only repeated an earlier answer."""

    comment_id: str
    replayed: bool = False


def accept(
    session: Session, site_id: str, new: NewComment, now: datetime, idempotency: Idempotency | None = None
) -> Accepted:
    """Store a comment and its first submission; nothing is decided here.

    Raises KeyReused, ParentNotFound and ExternalIdTaken.
    """
    comment_id = new_id("c")
    if idempotency is not None:
        earlier = _reserve(session, site_id, idempotency, comment_id, now)
        if earlier is not None:
            return Accepted(earlier, replayed=True)
    _refuse_taken_external_id(session, site_id, new.external_id)
    thread_id = _find_or_make_thread(session, site_id, new, now)
    _check_parent(session, thread_id, new.parent_id)
    submission = _submission(comment_id, site_id, new.body, new.context, now)
    comment = Comment(
        id=comment_id,
        site_id=site_id,
        thread_id=thread_id,
        parent_id=new.parent_id,
        external_id=new.external_id,
        author=new.author,
        author_key=author_key(new.author),
        status=Status.PENDING,
        submission_id=submission.id,
        created_at=now,
    )
    _store(session, comment, submission)
    note(session, "accepted", "comment")
    return Accepted(comment_id)


def edit(session: Session, site_id: str, comment_id: str, body: str, now: datetime) -> Comment:
    """Give a comment a new text: another submission, and back to pending; raises NotFound, NotAllowed."""
    comment = lock_comment(session, comment_id, site_id)
    old = comment.submission_id
    act = Act(Action.EDIT, "edited", AUTHOR, old)
    record_decision(session, comment, act, now)
    previous = session.get_one(Submission, old)
    submission = _submission(comment_id, site_id, body, previous.context, now)
    session.add(submission)
    comment.submission_id = submission.id
    _overtake(session, old, now)
    note(session, "accepted", "edit")
    return comment


def withdraw(session: Session, site_id: str, comment_id: str, now: datetime) -> Comment:
    """Remove a comment for good; doing it again changes nothing; raises NotFound."""
    comment = lock_comment(session, comment_id, site_id)
    if comment.status != Status.REMOVED:
        act = Act(Action.REMOVE, "withdrawn", AUTHOR, comment.submission_id)
        record_decision(session, comment, act, now)
        _overtake(session, comment.submission_id, now)
    return comment


def lock_comment(session: Session, comment_id: str, site_id: str | None = None) -> Comment:
    """The comment, locked until the end of the transaction; raises NotFound."""
    comment = session.scalars(select(Comment).where(Comment.id == comment_id).with_for_update()).one_or_none()
    if comment is None or (site_id is not None and comment.site_id != site_id):
        raise NotFound("comment")
    return comment


def author_key(author: dict[str, Any]) -> str | None:
    """What tells a site's authors apart: their id, else their e-mail address."""
    if author.get("id"):
        return f"id:{author['id']}"
    return f"email:{author['email'].casefold()}" if author.get("email") else None


def body_digest(body: str) -> str:
    """A digest that is the same for texts differing only in case, width or white space.

    >>> body_digest("Nice  Post!") == body_digest("nice post!\\n")
    True
    """
    plain = " ".join(unicodedata.normalize("NFKC", body).casefold().split())
    return hashlib.sha256(plain.encode()).hexdigest()[:32]


def insert_unless_present(session: Session, row: Base) -> bool:
    """Insert a row unless its key exists; tells whether it did, and is safe against a concurrent insert."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    values = {
        c.key: getattr(row, c.key) for c in row.__mapper__.column_attrs if getattr(row, c.key) is not None
    }
    (key, *_) = row.__mapper__.primary_key
    # Asked for by RETURNING: drivers do not agree on what the row count of such an insert is.
    statement = insert(type(row)).values(values).on_conflict_do_nothing().returning(key)
    return session.execute(statement).one_or_none() is not None


def _store(session: Session, comment: Comment, submission: Submission) -> None:
    session.add(comment)
    try:
        session.flush()
    except IntegrityError as error:
        # Two requests with one external id at the same moment: the other one won.
        if comment.external_id is None or "external_id" not in str(error.orig):
            raise
        raise ExternalIdTaken("") from None
    session.add(submission)


def _submission(
    comment_id: str, site_id: str, body: str, context: dict[str, Any], now: datetime
) -> Submission:
    return Submission(
        id=new_id("sub"),
        comment_id=comment_id,
        site_id=site_id,
        body=body,
        body_bytes=len(body.encode()),
        body_digest=body_digest(body),
        context=context,
        created_at=now,
    )


def _overtake(session: Session, submission_id: str, now: datetime) -> None:
    session.execute(
        update(Submission)
        .where(Submission.id == submission_id, Submission.judged_at.is_(None))
        .values(judged_at=now)
    )


def _reserve(
    session: Session, site_id: str, idempotency: Idempotency, comment_id: str, now: datetime
) -> str | None:
    """Take the key for this comment, or give the id of the comment that has it; raises KeyReused."""
    row = IdempotencyKey(
        site_id=site_id,
        key=idempotency.key,
        request_digest=idempotency.request_digest,
        comment_id=comment_id,
        created_at=now,
    )
    if insert_unless_present(session, row):
        return None
    first = session.get_one(IdempotencyKey, (site_id, idempotency.key))
    if first.request_digest != idempotency.request_digest:
        raise KeyReused("this Idempotency-Key was used for another request")
    return first.comment_id


def _refuse_taken_external_id(session: Session, site_id: str, external_id: str | None) -> None:
    if external_id is None:
        return
    taken = select(Comment.id).where(Comment.site_id == site_id, Comment.external_id == external_id)
    comment_id = session.scalar(taken)
    if comment_id is not None:
        raise ExternalIdTaken(comment_id)


def _find_or_make_thread(session: Session, site_id: str, new: NewComment, now: datetime) -> str:
    query = select(Thread.id).where(Thread.site_id == site_id, Thread.key == new.thread_key)
    found = session.scalar(query)
    if found is not None:
        return found
    thread = Thread(
        id=new_id("th"),
        site_id=site_id,
        key=new.thread_key,
        url=new.thread_url,
        title=new.thread_title,
        closed=False,
        created_at=now,
    )
    insert_unless_present(session, thread)
    return session.scalars(query).one()


def _check_parent(session: Session, thread_id: str, parent_id: str | None) -> None:
    if parent_id is None:
        return
    found = session.scalar(select(Comment.id).where(Comment.id == parent_id, Comment.thread_id == thread_id))
    if found is None:
        raise ParentNotFound("parent_id is no comment of this thread")
