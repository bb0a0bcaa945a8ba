"""Labels: what the next model is trained from, written, counted and retracted."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from moderation.domain.settling import Taught
from moderation.domain.sources import Source, Teacher
from moderation.domain.status import Status
from moderation.domain.training_set import LabelledComment, settled_comment
from moderation.models import Comment, ImportedExample, Label, new_id
from moderation.services.accept import body_digest, insert_unless_present
from moderation.services.errors import NotAllowed, NotFound
from moderation.services.labelled import in_force, labelled_texts, text_of_label

__all__ = [
    "LabelledComment",
    "count_labelled",
    "has_comment",
    "label_comment",
    "label_text",
    "labelled_comments",
]

ELSEWHERE = Teacher(Source.IMPORT)


def labelled_comments(session: Session, site_id: str | None = None) -> Iterator[LabelledComment]:
    """Every text with labels, each with what they say together, in the order they were first learned."""
    settled = map(settled_comment, labelled_texts(session, site_id))
    return (one for one in settled if one.labels)


def count_labelled(session: Session) -> int:
    """How many texts have at least one label."""
    return session.scalar(select(func.count(text_of_label().distinct())).where(in_force())) or 0


def has_comment(session: Session, comment_id: str) -> bool:
    """Whether this installation has such a comment."""
    return session.get(Comment, comment_id) is not None


def label_comment(
    session: Session,
    comment_id: str,
    labels: Mapping[str, bool],
    now: datetime,
    teacher: Teacher = ELSEWHERE,
) -> None:
    """Attach labels to a comment's latest text; raises NotFound, and NotAllowed if it was withdrawn."""
    # Locked, like a text from elsewhere: two who say the same at once would both find it unsaid.
    comment = session.get(Comment, comment_id, with_for_update=True)
    if comment is None:
        raise NotFound("comment")
    if comment.status == Status.REMOVED:
        raise NotAllowed("the comment was withdrawn and teaches nothing")
    teacher = Teacher(teacher.source, teacher.site_id or comment.site_id, teacher.moderator_id)
    taught = [Taught(category, value, teacher, True, now) for category, value in labels.items()]
    teach(session, taught, now, submission_id=comment.submission_id)


def label_text(
    session: Session,
    comment: Mapping[str, Any],
    labels: Mapping[str, bool],
    now: datetime,
    teacher: Teacher = ELSEWHERE,
) -> None:
    """Keep a text from elsewhere with its labels; the same text again replaces the labels of this teacher."""
    taught = [Taught(category, value, teacher, True, now) for category, value in labels.items()]
    teach(session, taught, now, imported_example_id=keep_text(session, comment, now))


def keep_text(session: Session, comment: Mapping[str, Any], now: datetime) -> str:
    """The imported example of a text, made if it is new."""
    digest = body_digest(comment["body"])
    example = ImportedExample(id=new_id("ex"), body_digest=digest, comment=dict(comment), created_at=now)
    insert_unless_present(session, example)
    query = select(ImportedExample.id).where(ImportedExample.body_digest == digest)
    return session.scalars(query.with_for_update()).one()


def teach(
    session: Session,
    taught: Iterable[Taught],
    now: datetime,
    *,
    submission_id: str | None = None,
    imported_example_id: str | None = None,
    decision_id: str | None = None,
) -> None:
    """Add labels to a text; one that says what its teacher says already changes nothing."""
    text = Label.submission_id == submission_id
    if submission_id is None:
        text = Label.imported_example_id == imported_example_id
    said = {
        (row.category, _teacher(row)): row for row in session.scalars(select(Label).where(text, in_force()))
    }
    for one in taught:
        before = said.get((one.category, one.teacher))
        if before is not None and before.value == one.value:
            continue
        if before is not None:
            before.retracted_at = now
        ids = {"submission_id": submission_id, "imported_example_id": imported_example_id}
        session.add(Label(id=new_id("lab"), decision_id=decision_id, **ids, **columns_of(one)))
    session.flush()


def columns_of(taught: Taught) -> dict[str, Any]:
    """A label's columns, but for its id and what it is about."""
    return {
        "category": taught.category,
        "value": taught.value,
        "source": taught.teacher.source,
        "site_id": taught.teacher.site_id,
        "moderator_id": taught.teacher.moderator_id,
        "explicit": taught.explicit,
        "created_at": taught.at,
    }


def _retract(session: Session, which: ColumnElement[bool], now: datetime) -> None:
    session.execute(update(Label).where(which, Label.retracted_at.is_(None)).values(retracted_at=now))


def _teacher(label: Label) -> Teacher:
    return Teacher(label.source, label.site_id, label.moderator_id)
