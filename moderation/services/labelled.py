"""Reading labels: the texts that have any, with all that was said of them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from moderation.domain.settling import Taught
from moderation.domain.sources import Teacher
from moderation.domain.status import Status
from moderation.domain.training_set import LabelledText
from moderation.models import Comment, Decision, ImportedExample, Label, QueueItem, Submission, Thread

# Databases limit the parameters of one statement.
_PIECE = 1_000


def labelled_texts(session: Session, site_id: str | None = None) -> Iterator[LabelledText]:
    """Every text with labels in force, of one site or of all, in the order they were first learned.

    What an author took back teaches nothing, whenever it was labelled.
    """
    yield from _texts(session, in_force(site_id))


def texts_of(session: Session, ids: Sequence[str]) -> Iterator[LabelledText]:
    """The labelled ones of these submissions, in the order they were first learned within each piece."""
    for start in range(0, len(ids), _PIECE):
        yield from _texts(session, in_force() & Label.submission_id.in_(ids[start : start + _PIECE]))


def _texts(session: Session, which: ColumnElement[bool]) -> Iterator[LabelledText]:
    taught = _taught(session, which)
    drawn = _drawn(session, which)
    comments = _comments(session, [text for text in taught if text.startswith("sub_")])
    comments |= _imported(session, [text for text in taught if not text.startswith("sub_")])
    for text, said in taught.items():
        if text in comments:
            comment_id, comment = comments[text]
            yield LabelledText(text, comment, comment_id, tuple(said), drawn.get(text, 1.0))


def text_of_label() -> ColumnElement[str]:
    """The submission or imported example that a label is about."""
    return func.coalesce(Label.submission_id, Label.imported_example_id)


def in_force(site_id: str | None = None) -> ColumnElement[bool]:
    """Labels that were not retracted, of one site or of all."""
    live = Label.retracted_at.is_(None)
    if site_id is None:
        return live
    # Code from before labels knew their site may still be writing some.
    of_site = select(Submission.id).where(Submission.site_id == site_id)
    unknown = and_(Label.site_id.is_(None), Label.submission_id.in_(of_site))
    return and_(live, or_(Label.site_id == site_id, unknown))


def _taught(session: Session, which: ColumnElement[bool]) -> dict[str, list[Taught]]:
    query = (
        select(
            text_of_label().label("text"),
            Label.category,
            Label.value,
            Label.source,
            Label.site_id,
            Label.moderator_id,
            Label.explicit,
            Label.created_at,
        )
        .where(which)
        .order_by(Label.created_at, Label.id)
    )
    found: dict[str, list[Taught]] = defaultdict(list)
    for row in session.execute(query):
        teacher = Teacher(row.source, row.site_id, row.moderator_id)
        found[row.text].append(Taught(row.category, row.value, teacher, bool(row.explicit), row.created_at))
    return found


def _drawn(session: Session, which: ColumnElement[bool]) -> dict[str, float]:
    """For texts labelled in a spot check, the chance with which they were drawn."""
    query = (
        select(Label.submission_id, QueueItem.sampling_probability)
        .join(Decision, Decision.id == Label.decision_id)
        .join(QueueItem, QueueItem.id == Decision.queue_item_id)
        .where(which, QueueItem.sampling_probability.is_not(None))
    )
    return {text: chance for text, chance in session.execute(query) if text is not None and chance}


def _comments(session: Session, ids: Sequence[str]) -> dict[str, tuple[str | None, dict[str, Any]]]:
    query = (
        select(Submission.id, Submission.body, Comment.id.label("comment_id"), Comment.author, Thread.title)
        .join(Comment, Comment.id == Submission.comment_id)
        .join(Thread, Thread.id == Comment.thread_id)
        .where(Comment.status != Status.REMOVED)
    )
    found: dict[str, tuple[str | None, dict[str, Any]]] = {}
    for start in range(0, len(ids), _PIECE):
        for row in session.execute(query.where(Submission.id.in_(ids[start : start + _PIECE]))):
            author = {name: row.author.get(name) for name in ("name", "email", "url")}
            comment = {"body": row.body, "author": author, "thread": {"title": row.title}}
            found[row.id] = (row.comment_id, comment)
    return found


def _imported(session: Session, ids: Sequence[str]) -> dict[str, tuple[str | None, dict[str, Any]]]:
    query = select(ImportedExample.id, ImportedExample.comment)
    found: dict[str, tuple[str | None, dict[str, Any]]] = {}
    for start in range(0, len(ids), _PIECE):
        for row in session.execute(query.where(ImportedExample.id.in_(ids[start : start + _PIECE]))):
            found[row.id] = (None, row.comment)
    return found
