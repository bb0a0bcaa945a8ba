"""Work that waits to be scored: taking it, the facts the policy needs, and recording the verdicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, select, update
from sqlalchemy.orm import Session, aliased

from moderation.domain.policy import (
    DomainRecord,
    Finding,
    PolicySettings,
    Precedent,
    Signals,
    Threshold,
    Verdict,
)
from moderation.domain.promises import Proven
from moderation.domain.spot_checks import told
from moderation.models import Comment, Score, Submission, Thread, table_of
from moderation.services.decide import POLICY, Act, record_decisions
from moderation.services.policies import current_policies
from moderation.services.recall import recall, sites_with_memories
from moderation.services.records import author_record, domain_records, told_of_author
from moderation.services.rows import run_many
from moderation.services.taking import TakenIds, choose_waiting, follow_indexes, is_free
from moderation.services.traces import Traces, record_traces

# A submission whose worker died this often is no longer scored; before that, it comes alone.
ATTEMPTS_AT_ALL = 4
REPEAT_WINDOW = timedelta(days=1)
# By how much the clocks of two machines may differ.
CLOCKS_DIFFER = timedelta(minutes=1)
MOST_LOOKED_AT = 1000
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
    author_key: str | None = None
    told_of_author: int | None = None

    def as_comment(self) -> dict[str, Any]:
        """The form in which the classifier reads a comment."""
        author = {name: self.author.get(name) for name in ("name", "email", "url")}
        return {"body": self.body, "author": author, "thread": {"title": self.thread_title}}


@dataclass(frozen=True)
class Past:
    """What happened on each site before, by submission: decisions on near-copies, records of domains."""

    precedents: Mapping[str, tuple[Precedent, ...]] = field(default_factory=dict)
    domains: Mapping[str, tuple[DomainRecord, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Judged:
    """A verdict on a submission, the scores it rests on (None: unscored), what is kept of the text now."""

    taken: Taken
    verdict: Verdict
    scores: Mapping[str, float] | None
    model_version: str | None
    traces: Traces | None = None
    # The chance with which a person was to look at it all the same; None: nobody needs to.
    sampling_probability: float | None = None


def take_pending(session: Session, now: datetime, *, most: int, most_bytes: int, seconds: float) -> TakenIds:
    """Take waiting submissions for `seconds`, within the limits of count and bytes, the same from every site.

    Two workers never take the same: on PostgreSQL rows another one is taking are skipped, on SQLite
    the write transaction is exclusive. A submission that was taken too often comes alone.
    """
    taken = choose_waiting(session, now, most, most_bytes)
    if taken.ids:
        values = {"until": now + timedelta(seconds=seconds), "taken": taken.ids}
        session.execute(_TAKE, values)
    return taken


def read_taken(session: Session, ids: Sequence[str], now: datetime) -> list[Taken]:
    """What the scorer and the rules need of submissions just taken, oldest first."""
    # By the connection, for these are values and no objects of the session.
    rows = session.connection().execute(_DETAILS, {"ids": list(ids), "since": now - REPEAT_WINDOW})
    return [Taken(*row) for row in rows]


def has_pending(session: Session, now: datetime) -> bool:
    """Whether anything waits that nobody holds."""
    follow_indexes(session)
    return session.scalar(_ANY_FREE, {"now": now}) is not None


def impossible_holds(session: Session, now: datetime, seconds: float) -> Sequence[str]:
    """What is held for longer than anybody takes it: by a clock that was set back since.

    Looks at the oldest only, so that a long line costs no more than a short one.
    """
    latest = now + timedelta(seconds=seconds) + CLOCKS_DIFFER
    return session.scalars(_HELD_TOO_LONG, {"latest": latest, "most": MOST_LOOKED_AT}).all()


def end_holds(session: Session, ids: Sequence[str]) -> None:
    """Let anybody take these submissions."""
    session.execute(_FREE, {"ids": list(ids)})


def count_waiting(session: Session, most: int) -> int:
    """How many submissions wait to be judged; counting stops at `most`."""
    follow_indexes(session)
    return session.scalar(_COUNT, {"most": most}) or 0


def look_back(
    session: Session, traces: Sequence[Traces], policies: Mapping[str, PolicySettings], now: datetime
) -> Past:
    """What is known of near-copies and of the domains linked to."""
    return Past(recall(session, traces, policies, now), domain_records(session, traces))


def signals_for(
    taken: Taken,
    scores: Mapping[str, float] | None,
    points: Mapping[str, Threshold],
    now: datetime,
    past: Past | None = None,
    proven: Mapping[str, Proven] | None = None,
) -> Signals:
    """The facts about one submission, as the rules read them."""
    past = past or Past()
    return Signals(
        body=taken.body,
        scores=scores,
        operating_points=points,
        honeypot_filled=bool(taken.context.get("honeypot_filled")),
        thread_closed=taken.thread_closed,
        thread_age_days=(now - taken.thread_created_at).total_seconds() / 86_400,
        repeats=taken.repeats,
        precedents=past.precedents.get(taken.submission_id, ()),
        domains=past.domains.get(taken.submission_id, ()),
        author=author_record(taken.told_of_author) if taken.author_key else None,
        proven=proven,
    )


def sites_to_recall(session: Session, policies: Mapping[str, PolicySettings]) -> set[str]:
    """The sites whose new texts have to be read for what people decided on others."""
    return sites_with_memories(session, {site for site, policy in policies.items() if policy.memory_days})


def policies_for(session: Session, taken: Sequence[Taken]) -> dict[str, PolicySettings]:
    """The policy in force for every site of the batch."""
    policies = current_policies(session, {t.site_id for t in taken})
    return {t.site_id: policies.get(t.site_id, PolicySettings()) for t in taken}


def record_verdicts(session: Session, judged: Sequence[Judged], now: datetime, due_hours: float) -> list[str]:
    """Record the verdicts that still apply; gives the ids of the comments decided.

    What was edited, withdrawn or judged by another worker meanwhile is passed over.
    """
    by_submission = {one.taken.submission_id: one for one in judged}
    rows = session.execute(_STILL_WAITING, {"ids": list(by_submission)}).all()
    if not rows:
        return []
    still = [by_submission[row.submission_id] for row in rows]
    session.execute(_JUDGED, {"at": now, "ids": [one.taken.submission_id for one in still]})
    scores = [_score(one, now) for one in still if one.scores is not None and one.model_version is not None]
    run_many(session, _INSERT_SCORES, scores)
    acts = [_act(one, due_hours) for one in still]
    record_decisions(session, list(zip(rows, acts, strict=True)), now)
    record_traces(session, [one.traces for one in still if one.traces is not None], decided=False)
    return [row.id for row in rows]


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
        .correlate(Submission)
    )
    # Each has an index of its own.
    waiting, judged = same.where(earlier.judged_at.is_(None)), same.where(earlier.judged_at.is_not(None))
    found = waiting.union_all(judged).limit(MOST_REPEATS).subquery()
    return select(func.count()).select_from(found).scalar_subquery()


# Written once: putting a statement together takes longer than running it.
_DETAILS = (
    select(
        Submission.id,
        Submission.comment_id,
        Submission.site_id,
        Submission.body,
        Comment.author,
        Thread.title,
        Thread.closed,
        Thread.created_at,
        Submission.context,
        Submission.attempts,
        _repeats(),
        Comment.author_key,
        told_of_author(),
    )
    .join(Comment, Comment.id == Submission.comment_id)
    .join(Thread, Thread.id == Comment.thread_id)
    .where(Submission.id.in_(bindparam("ids", expanding=True)))
    .order_by(Submission.id)
)
_SUBMISSIONS, _COMMENTS = table_of(Submission), table_of(Comment)
_TAKE = (
    update(_SUBMISSIONS)
    .where(_SUBMISSIONS.c.id.in_(bindparam("taken", expanding=True)))
    .values(taken_until=bindparam("until"), attempts=_SUBMISSIONS.c.attempts + 1)
)
_INSERT_SCORES = table_of(Score).insert()
_JUDGED = (
    update(_SUBMISSIONS)
    .where(_SUBMISSIONS.c.id.in_(bindparam("ids", expanding=True)))
    .values(judged_at=bindparam("at"))
)
_OLDEST = (
    select(_SUBMISSIONS.c.id, _SUBMISSIONS.c.taken_until)
    .where(_SUBMISSIONS.c.judged_at.is_(None))
    .order_by(_SUBMISSIONS.c.id)
    .limit(bindparam("most"))
    .subquery()
)
_HELD_TOO_LONG = select(_OLDEST.c.id).where(_OLDEST.c.taken_until > bindparam("latest"))
_FREE = (
    update(_SUBMISSIONS)
    .where(_SUBMISSIONS.c.id.in_(bindparam("ids", expanding=True)))
    .values(taken_until=None)
)
# The order does not matter to the answer; it names the index to read (see follow_indexes).
_UNJUDGED = (
    select(_SUBMISSIONS.c.id)
    .where(_SUBMISSIONS.c.judged_at.is_(None))
    .order_by(_SUBMISSIONS.c.site_id, _SUBMISSIONS.c.id)
)
_ANY_FREE = _UNJUDGED.where(is_free()).limit(1)
_COUNT = select(func.count()).select_from(_UNJUDGED.limit(bindparam("most")).subquery())
# Locked comment first, and in one order everywhere, so that two never wait for each other. Only the latest
# submission of a comment, and only while nobody judged it: both are asked again of what was waited for.
# Joined by the comment's id as well, or no index would lead from a submission to its comment, and the whole
# table be read for every batch.
_STILL_WAITING = (
    select(
        _COMMENTS.c.id,
        _COMMENTS.c.site_id,
        _COMMENTS.c.status,
        _COMMENTS.c.version,
        _COMMENTS.c.submission_id,
        # Since when it waits here; an imported comment may be older by years.
        _SUBMISSIONS.c.created_at,
    )
    .join(
        _SUBMISSIONS,
        and_(_SUBMISSIONS.c.comment_id == _COMMENTS.c.id, _SUBMISSIONS.c.id == _COMMENTS.c.submission_id),
    )
    .where(
        _SUBMISSIONS.c.id.in_(bindparam("ids", expanding=True)),
        _SUBMISSIONS.c.judged_at.is_(None),
    )
    .order_by(_COMMENTS.c.id)
    .with_for_update()
)


def _score(judged: Judged, now: datetime) -> dict[str, Any]:
    row = {"submission_id": judged.taken.submission_id, "model_version": judged.model_version}
    return row | {"created_at": now} | dict(judged.scores or {})


def _told_of_check(judged: Judged) -> tuple[Finding, ...]:
    if judged.sampling_probability is None:
        return ()
    return (told(judged.verdict), *judged.verdict.findings)


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
        sampling_probability=judged.sampling_probability,
        item_findings=_told_of_check(judged),
    )
