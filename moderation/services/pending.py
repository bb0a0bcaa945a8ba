"""Work that waits to be scored: taking it, the facts the policy needs, and recording the verdicts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from moderation.domain.policy import PolicySettings, Signals, Threshold, Verdict
from moderation.models import Comment, Score, Submission, Thread
from moderation.services.decide import POLICY, Act, record_decision
from moderation.services.policies import current_policies

# A submission whose worker died this often is no longer scored with others, then not at all.
ATTEMPTS_TOGETHER = 2
ATTEMPTS_AT_ALL = 4
REPEAT_WINDOW = timedelta(days=1)
# Counting stops here; a flood of one text must not make each of its comments slower to judge.
MOST_REPEATS = 100


@dataclass(frozen=True)
class Taken:
    """A submission a worker holds for a while, with everything needed to score and judge it."""

    submission_id: str
    comment_id: str
    site_id: str
    body: str
    author: Mapping[str, Any]
    thread_title: str | None
    thread_closed: bool
    thread_created_at: datetime
    context: Mapping[str, Any]
    attempts: int
    repeats: int

    def as_comment(self) -> dict[str, Any]:
        """The form in which the classifier reads a comment."""
        author = {name: self.author.get(name) for name in ("name", "email", "url")}
        return {"body": self.body, "author": author, "thread": {"title": self.thread_title}}


@dataclass(frozen=True)
class Judged:
    """A verdict on a submission, and the scores it rests on (None: unscored)."""

    taken: Taken
    verdict: Verdict
    scores: Mapping[str, float] | None
    model_version: str | None


def take_pending(session: Session, now: datetime, *, most: int, most_bytes: int, seconds: float) -> list[str]:
    """Take the oldest waiting submissions for `seconds`, within the limits of count and bytes; their ids.

    Two workers never take the same: on PostgreSQL rows another one is taking are skipped, on SQLite
    the write transaction is exclusive. A submission that was taken too often comes alone.
    """
    ids = _oldest_waiting(session, now, most, most_bytes)
    if ids:
        session.execute(
            update(Submission)
            .where(Submission.id.in_(ids))
            .values(taken_until=now + timedelta(seconds=seconds), attempts=Submission.attempts + 1)
            .execution_options(synchronize_session=False)
        )
    return ids


def read_taken(session: Session, ids: Sequence[str], now: datetime) -> list[Taken]:
    """What the scorer and the rules need of submissions just taken, oldest first."""
    rows = session.execute(_DETAILS, {"ids": list(ids), "since": now - REPEAT_WINDOW})
    return [
        Taken(
            submission_id=row.Submission.id,
            comment_id=row.Submission.comment_id,
            site_id=row.Submission.site_id,
            body=row.Submission.body,
            author=row.author,
            thread_title=row.Thread.title,
            thread_closed=row.Thread.closed,
            thread_created_at=row.Thread.created_at,
            context=row.Submission.context,
            attempts=row.Submission.attempts,
            repeats=row.repeats,
        )
        for row in rows
    ]


def has_pending(session: Session, now: datetime) -> bool:
    """Whether anything waits that nobody holds."""
    return session.scalar(select(Submission.id).where(*_waiting(now)).limit(1)) is not None


def signals_for(
    taken: Taken, scores: Mapping[str, float] | None, points: Mapping[str, Threshold], now: datetime
) -> Signals:
    """The facts about one submission, as the rules read them."""
    return Signals(
        body=taken.body,
        scores=scores,
        operating_points=points,
        honeypot_filled=bool(taken.context.get("honeypot_filled")),
        thread_closed=taken.thread_closed,
        thread_age_days=(now - taken.thread_created_at).total_seconds() / 86_400,
        repeats=taken.repeats,
    )


def policies_for(session: Session, taken: Sequence[Taken]) -> dict[str, PolicySettings]:
    """The policy in force for every site of the batch."""
    policies = current_policies(session, {t.site_id for t in taken})
    return {t.site_id: policies.get(t.site_id, PolicySettings()) for t in taken}


def record_verdicts(session: Session, judged: Sequence[Judged], now: datetime, due_hours: float) -> list[str]:
    """Record the verdicts that still apply; gives the ids of the comments decided.

    What was edited, withdrawn or judged by another worker meanwhile is passed over.
    """
    comments = _lock_comments(session, [j.taken.comment_id for j in judged])
    still_waiting = _lock_waiting(session, [j.taken.submission_id for j in judged])
    decided = []
    for one in judged:
        comment = comments.get(one.taken.comment_id)
        submission = still_waiting.get(one.taken.submission_id)
        if comment is None or submission is None or comment.submission_id != submission.id:
            continue
        submission.judged_at = now
        if one.scores is not None and one.model_version is not None:
            session.add(_score(one.taken.submission_id, one.model_version, one.scores, now))
        record_decision(session, comment, _act(one, due_hours), now)
        decided.append(comment.id)
    return decided


def _waiting(now: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    free = or_(Submission.taken_until.is_(None), Submission.taken_until < now)
    return Submission.judged_at.is_(None), free


def _oldest_waiting(session: Session, now: datetime, most: int, most_bytes: int) -> list[str]:
    rows = session.execute(
        select(Submission.id, Submission.body_bytes, Submission.attempts)
        .where(*_waiting(now))
        .order_by(Submission.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    ).all()
    if rows and rows[0].attempts >= ATTEMPTS_TOGETHER:
        return [rows[0].id]
    together = [row for row in rows if row.attempts < ATTEMPTS_TOGETHER]
    return _within_bytes(((row.id, row.body_bytes) for row in together), most_bytes)


def _within_bytes(sized: Iterable[tuple[str, int]], most_bytes: int) -> list[str]:
    """The first ids whose sizes fit; always at least one, so that a large one is not stuck."""
    ids: list[str] = []
    total = 0
    for submission_id, size in sized:
        total += size
        if ids and total > most_bytes:
            break
        ids.append(submission_id)
    return ids


def _repeats() -> ColumnElement[int]:
    """How many other comments brought the same text to the site since `since`."""
    earlier = aliased(Submission)
    same = (
        select(earlier.id)
        .where(
            earlier.site_id == Submission.site_id,
            earlier.body_digest == Submission.body_digest,
            earlier.id < Submission.id,
            earlier.comment_id != Submission.comment_id,
            earlier.created_at > bindparam("since"),
        )
        .limit(MOST_REPEATS)
        .correlate(Submission)
        .subquery()
    )
    return select(func.count()).select_from(same).scalar_subquery()


# Written once: putting this statement together takes longer than running it for one submission.
_DETAILS = (
    select(Submission, Comment.author, Thread, _repeats().label("repeats"))
    .join(Comment, Comment.id == Submission.comment_id)
    .join(Thread, Thread.id == Comment.thread_id)
    .where(Submission.id.in_(bindparam("ids", expanding=True)))
    .order_by(Submission.id)
)


def _lock_comments(session: Session, ids: list[str]) -> dict[str, Comment]:
    # In one order everywhere, so that two workers never wait for each other.
    rows = session.scalars(select(Comment).where(Comment.id.in_(ids)).order_by(Comment.id).with_for_update())
    return {comment.id: comment for comment in rows}


def _lock_waiting(session: Session, ids: list[str]) -> dict[str, Submission]:
    rows = session.scalars(
        select(Submission)
        .where(Submission.id.in_(ids), Submission.judged_at.is_(None))
        .order_by(Submission.id)
        .with_for_update()
    )
    return {submission.id: submission for submission in rows}


def _score(submission_id: str, version: str, scores: Mapping[str, float], now: datetime) -> Score:
    return Score(submission_id=submission_id, model_version=version, created_at=now, **scores)


def _act(judged: Judged, due_hours: float) -> Act:
    return Act(
        action=judged.verdict.outcome,
        reason=judged.verdict.reason,
        actor=POLICY,
        submission_id=judged.taken.submission_id,
        findings=judged.verdict.findings,
        model_version=judged.model_version,
        policy_version=judged.verdict.policy_version,
        top_score=max((judged.scores or {}).values(), default=0.0),
        due_hours=due_hours,
    )
