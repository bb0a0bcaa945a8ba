"""What a site's policy would change: the latest comments judged once more, by it and by the one in force."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from moderation.domain.policy import PolicySettings, Signals, Threshold
from moderation.domain.promises import Proven
from moderation.domain.replay import replay
from moderation.domain.status import LEADS_TO, Action, Status
from moderation.models import Comment, Decision, Score, Submission, Thread
from moderation.services.decide import POLICY, findings_from
from moderation.services.policies import current_policies
from moderation.services.proofs import proven_now, scored_texts

WINDOW = timedelta(days=30)
MOST_REPLAYED = 1_000
SHOWN = 20
_OUTCOMES = (Status.APPROVED, Status.HELD, Status.REJECTED)


@dataclass(frozen=True)
class Change:
    """A comment that would have fared otherwise."""

    comment_id: str
    body: str
    before: Status
    after: Status
    why: list[str]
    scores: Mapping[str, float] | None


@dataclass(frozen=True)
class Effect:
    """How the latest comments fare now and would fare, and what that means for those who decide."""

    replayed: int
    since: datetime
    now: Mapping[str, int]
    then: Mapping[str, int]
    changes: Mapping[str, int]
    sample: Sequence[Change]
    held_a_day_now: float
    held_a_day_then: float


Proofs = Mapping[str, Proven]


@dataclass(frozen=True)
class _Judges:
    """Two policies, and what is proven of the promises of each."""

    in_force: PolicySettings
    proposed: PolicySettings
    proven_now: Proofs
    proven_then: Proofs


def effect_of(
    session: Session,
    site_id: str,
    proposed: PolicySettings,
    points: Mapping[str, Threshold],
    now: datetime,
    *,
    model_version: str = "",
    most: int = MOST_REPLAYED,
) -> Effect:
    """Judge the site's latest comments by both policies; `points` are the own thresholds of the model named.

    What either policy promises is taken to be proven as far as today's labels prove it.
    """
    in_force = current_policies(session, {site_id}).get(site_id, PolicySettings())
    rows = latest_judged(session, site_id, now - WINDOW, most)
    judges = _Judges(in_force, proposed, *_proofs(session, site_id, (in_force, proposed), model_version, now))
    fates = [_fate(row, signals_of(row, points), judges) for row in rows]
    return effect_told(fates, min((row.Submission.created_at for row in rows), default=now), now)


def effect_told(fates: Sequence[Change], since: datetime, now: datetime) -> Effect:
    """The fates of comments, the first of which came at `since`, counted and compared."""
    days = max((now - since) / timedelta(days=1), 1.0)
    changed = [fate for fate in fates if fate.before is not fate.after]
    before, after = (Counter(getattr(fate, when) for fate in fates) for when in ("before", "after"))
    return Effect(
        replayed=len(fates),
        since=since,
        now={status: before[status] for status in _OUTCOMES},
        then={status: after[status] for status in _OUTCOMES},
        changes=dict(Counter(f"{fate.before} to {fate.after}" for fate in changed)),
        sample=changed[:SHOWN],
        held_a_day_now=round(before[Status.HELD] / days, 1),
        held_a_day_then=round(after[Status.HELD] / days, 1),
    )


def latest_judged(session: Session, site_id: str, since: datetime, most: int) -> Sequence[Any]:
    """The policy's latest decisions of the site with all that they rested on, the newest first."""
    return session.execute(
        select(Decision, Submission, Comment.author, Thread, Score)
        .join(Submission, Submission.id == Decision.submission_id)
        .join(Comment, Comment.id == Decision.comment_id)
        .join(Thread, Thread.id == Comment.thread_id)
        .outerjoin(
            Score,
            and_(
                Score.submission_id == Decision.submission_id, Score.model_version == Decision.model_version
            ),
        )
        .where(
            Decision.site_id == site_id,
            Decision.actor_kind == POLICY.kind,
            Decision.created_at >= since,
        )
        .order_by(Decision.created_at.desc(), Decision.id.desc())
        .limit(most)
    ).all()


def signals_of(row: Any, points: Mapping[str, Threshold]) -> Signals:
    """What can be known anew of one of them, with the scores it was decided on."""
    age = row.Decision.created_at - row.Thread.created_at
    return Signals(
        body=row.Submission.body,
        scores=row.Score.by_category() if row.Score is not None else None,
        operating_points=points,
        honeypot_filled=bool(row.Submission.context.get("honeypot_filled")),
        thread_closed=row.Thread.closed,
        thread_age_days=age / timedelta(days=1),
    )


def _proofs(
    session: Session,
    site_id: str,
    policies: tuple[PolicySettings, PolicySettings],
    model_version: str,
    now: datetime,
) -> tuple[Proofs, Proofs]:
    if not any(policy.promises for policy in policies):
        return {}, {}
    texts = scored_texts(session, site_id, model_version, now)
    before, after = (proven_now(policy, texts) for policy in policies)
    return before, after


def _fate(row: Any, signals: Signals, judges: _Judges) -> Change:
    found = findings_from(row.Decision.findings)
    before = replay(replace(signals, proven=judges.proven_now), found, judges.in_force)
    after = replay(replace(signals, proven=judges.proven_then), found, judges.proposed)
    return Change(
        comment_id=row.Decision.comment_id,
        body=row.Submission.body,
        before=LEADS_TO[Action(before.outcome)],
        after=LEADS_TO[Action(after.outcome)],
        why=[finding.detail for finding in after.findings],
        scores=signals.scores,
    )
