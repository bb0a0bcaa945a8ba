"""Labels in and out: what the next model is trained from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from moderation.models import Comment, ImportedExample, Label, Submission, Thread, new_id
from moderation.services.accept import body_digest, insert_unless_present
from moderation.services.errors import NotFound

IMPORT, AKISMET, PERSPECTIVE = "import", "akismet", "perspective"
# What a maintainer said outweighs a moderator's word, and both outweigh an import, when they disagree.
# Akismet: somebody at the site pressed "spam" or "not spam", a person's word, but given in passing.
SOURCE_WEIGHT = {"maintainer": 2.0, "moderator": 1.0, AKISMET: 0.75, PERSPECTIVE: 0.75, IMPORT: 0.5}


@dataclass(frozen=True)
class LabelledComment:
    """A text with its context and labels: one example to learn from."""

    comment: Mapping[str, Any]
    labels: Mapping[str, bool]
    weight: float
    source: str
    at: datetime
    comment_id: str | None


def labelled_comments(session: Session) -> Iterator[LabelledComment]:
    """Every example with labels that were not retracted, in the order they were learned.

    Where the labels of one category disagree, the heavier source wins, then the newer label.
    """
    labels = _live_labels(session)
    submissions = _submission_texts(session, [key for kind, key in labels if kind == "submission"])
    imported = {row.id: row.comment for row in session.scalars(select(ImportedExample))}
    for (kind, key), rows in labels.items():
        comment_id, comment = submissions[key] if kind == "submission" else (None, imported[key])
        yield LabelledComment(
            comment=comment,
            labels=_settle(rows),
            weight=max(SOURCE_WEIGHT.get(row.source, 1.0) for row in rows),
            source=max(rows, key=_strength).source,
            at=max(row.created_at for row in rows),
            comment_id=comment_id,
        )


def count_labelled(session: Session) -> int:
    """How many texts have at least one label."""
    texts = func.coalesce(Label.submission_id, Label.imported_example_id)
    return session.scalar(select(func.count(texts.distinct())).where(Label.retracted_at.is_(None))) or 0


def has_comment(session: Session, comment_id: str) -> bool:
    """Whether this installation has such a comment."""
    return session.get(Comment, comment_id) is not None


def label_comment(session: Session, comment_id: str, labels: Mapping[str, bool], now: datetime) -> None:
    """Attach imported labels to a comment's latest text; raises NotFound."""
    comment = session.get(Comment, comment_id)
    if comment is None:
        raise NotFound("comment")
    _replace(session, Label.submission_id == comment.submission_id, labels, now)
    for category, value in labels.items():
        session.add(_label(category, value, now, submission_id=comment.submission_id))


def label_text(
    session: Session,
    comment: Mapping[str, Any],
    labels: Mapping[str, bool],
    now: datetime,
    source: str = IMPORT,
) -> None:
    """Keep a text from elsewhere with its labels; the same text again replaces its labels of this source."""
    digest = body_digest(comment["body"])
    example = ImportedExample(id=new_id("ex"), body_digest=digest, comment=dict(comment), created_at=now)
    insert_unless_present(session, example)
    example_id = session.scalars(
        select(ImportedExample.id).where(ImportedExample.body_digest == digest)
    ).one()
    _replace(session, Label.imported_example_id == example_id, labels, now, source)
    for category, value in labels.items():
        session.add(_label(category, value, now, imported_example_id=example_id, source=source))


def _live_labels(session: Session) -> dict[tuple[str, str], list[Label]]:
    found: dict[tuple[str, str], list[Label]] = {}
    query = select(Label).where(Label.retracted_at.is_(None)).order_by(Label.created_at, Label.id)
    for label in session.scalars(query):
        key = ("submission", label.submission_id) if label.submission_id else None
        found.setdefault(key or ("imported", label.imported_example_id or ""), []).append(label)
    return found


def _submission_texts(session: Session, ids: list[str]) -> dict[str, tuple[str, dict[str, Any]]]:
    texts: dict[str, tuple[str, dict[str, Any]]] = {}
    query = (
        select(Submission.id, Submission.body, Comment.id.label("comment_id"), Comment.author, Thread.title)
        .join(Comment, Comment.id == Submission.comment_id)
        .join(Thread, Thread.id == Comment.thread_id)
    )
    # In pieces: databases limit the parameters of one statement.
    for start in range(0, len(ids), 1000):
        for row in session.execute(query.where(Submission.id.in_(ids[start : start + 1000]))):
            author = {name: row.author.get(name) for name in ("name", "email", "url")}
            comment = {"body": row.body, "author": author, "thread": {"title": row.title}}
            texts[row.id] = (row.comment_id, comment)
    return texts


def _strength(label: Label) -> tuple[float, datetime]:
    return SOURCE_WEIGHT.get(label.source, 1.0), label.created_at


def _settle(rows: list[Label]) -> dict[str, bool]:
    return {row.category: row.value for row in sorted(rows, key=_strength)}


def _replace(
    session: Session, which: Any, labels: Mapping[str, bool], now: datetime, source: str = IMPORT
) -> None:
    session.execute(
        update(Label)
        .where(which, Label.source == source, Label.category.in_(list(labels)), Label.retracted_at.is_(None))
        .values(retracted_at=now)
    )


def _label(
    category: str,
    value: bool,
    now: datetime,
    *,
    submission_id: str | None = None,
    imported_example_id: str | None = None,
    source: str = IMPORT,
) -> Label:
    return Label(
        id=new_id("lab"),
        submission_id=submission_id,
        imported_example_id=imported_example_id,
        category=category,
        value=value,
        source=source,
        created_at=now,
    )
