"""Following up the decisions: the traces of texts that are not kept with the verdict.

The decisions are gone through in the order they were made, those of before there were traces first. One row
says how far; whoever goes on holds it, so two never do the same work.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, select, update
from sqlalchemy.orm import Session

from moderation.models import Comment, Decision, Submission, TraceProgress, first_id, table_of
from moderation.services.accept import insert_unless_present
from moderation.services.decide import IMPORT
from moderation.services.recall import NOT_PEOPLE, forget_surplus, remember
from moderation.services.traces import KEPT, record_traces, traces_of

# The latest are left for the next time: one with an earlier id may yet be committed.
SETTLED = timedelta(seconds=15)
Read = Callable[[str], Sequence[str]]
_PROGRESS = table_of(TraceProgress)
_NAME = "traces"


def anything_to_follow(session: Session, now: datetime) -> bool:
    """Whether there are decisions that nobody followed up."""
    after = session.scalar(_HOW_FAR) or ""
    return session.scalar(_NEXT, _bounds(after, now)) is not None


def texts_to_follow(session: Session, now: datetime, most: int) -> list[str]:
    """The texts that come next, to be read while no transaction is open: that takes the longest."""
    after = session.scalar(_HOW_FAR) or ""
    rows = session.execute(_TEXTS, _bounds(after, now) | {"most": most})
    return [row.body for row in rows if _leaves_traces(row)]


def follow_decisions(session: Session, read: Read, now: datetime, most: int) -> int:
    """Keep the traces of the next texts that were decided; gives how many decisions were followed up.

    `read` gives the words of a text. What people decided before its imprint was kept is remembered now.
    """
    after = _take_progress(session, now)
    if after is None:
        return 0
    rows = session.execute(_TEXTS, _bounds(after, now) | {"most": most}).all()
    texts = {row.id: row for row in rows if _leaves_traces(row)}
    record_traces(
        session,
        [traces_of(row.id, row.site_id, row.body, row.author, read(row.body)) for row in texts.values()],
        decided=True,
    )
    decided = [row for row in rows if row.id is not None and row.actor_kind not in NOT_PEOPLE]
    for row in decided:
        remember(session, row.site_id, row.id)
    for site_id in {row.site_id for row in decided}:
        forget_surplus(session, site_id, most)
    if rows:
        session.execute(update(_PROGRESS).values(decision_id=rows[-1].decision_id))
    return len(rows)


def _leaves_traces(row: Any) -> bool:
    """A text that was decided here; an import kept itself what is to be known of its own."""
    return row.id is not None and row.actor_kind != IMPORT.kind


def _take_progress(session: Session, now: datetime) -> str | None:
    """How far the decisions were followed up; None while another is at it."""
    first = TraceProgress(name=_NAME, decision_id=first_id("dec", now - KEPT))
    if session.scalar(_HOW_FAR) is None:
        insert_unless_present(session, first)
    return session.scalar(_HOW_FAR.with_for_update(skip_locked=True))


def _bounds(after: str, now: datetime) -> dict[str, Any]:
    oldest = first_id("dec", now - KEPT)
    return {"after": max(after, oldest), "before": first_id("dec", now - SETTLED)}


_HOW_FAR = select(_PROGRESS.c.decision_id).where(_PROGRESS.c.name == _NAME)
_NEXT = (
    select(Decision.id)
    .where(Decision.id > bindparam("after"), Decision.id < bindparam("before"))
    .order_by(Decision.id)
    .limit(1)
)
# A decision on a text that was edited since has nothing to follow up.
_TEXTS = (
    select(
        Decision.id.label("decision_id"),
        Decision.actor_kind,
        Submission.id,
        Submission.site_id,
        Submission.body,
        Comment.author,
    )
    .select_from(Decision)
    .outerjoin(
        Comment, and_(Comment.id == Decision.comment_id, Comment.submission_id == Decision.submission_id)
    )
    .outerjoin(Submission, Submission.id == Comment.submission_id)
    .where(Decision.id > bindparam("after"), Decision.id < bindparam("before"))
    .order_by(Decision.id)
    .limit(bindparam("most"))
)
