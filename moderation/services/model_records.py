"""How the decisions of a model version fared, for the circuit breaker."""

from collections import defaultdict
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from moderation.domain.circuit_breaker import Record
from moderation.domain.rules import UNPROVEN
from moderation.domain.status import Action
from moderation.models import AuditLine, Decision
from moderation.services.audit import ACTS
from moderation.services.decide import POLICY

_AUTOMATIC = (Action.APPROVE, Action.REJECT)
_PEOPLE = ("moderator", "maintainer")


def last_promotion(session: Session, since: datetime) -> AuditLine | None:
    """The act that put a model in force, if it was the last of its kind and not before `since`."""
    line = session.scalars(
        select(AuditLine).where(AuditLine.act.in_(ACTS.values())).order_by(AuditLine.id.desc()).limit(1)
    ).first()
    fresh = line is not None and line.created_at >= since and line.act == ACTS["promotion"]
    return line if fresh else None


def record_of(session: Session, version: str, since: datetime) -> Record:
    """What the policy decided by a version since then, and what people made of it."""
    decided = (
        select(Decision.action, Decision.reason, func.count())
        .where(
            Decision.created_at >= since,
            Decision.actor_kind == POLICY.kind,
            Decision.model_version == version,
        )
        .group_by(Decision.action, Decision.reason)
    )
    counts: dict[str, int] = defaultdict(int)
    unproven = 0
    for action, reason, count in session.execute(decided):
        counts[action] += count
        unproven += count if reason == UNPROVEN else 0
    return Record(
        decided=sum(counts.values()),
        approved=counts[Action.APPROVE],
        automatic=sum(counts[action] for action in _AUTOMATIC),
        corrected=_corrected(session, version, since),
        unproven=unproven,
    )


def _corrected(session: Session, version: str, since: datetime) -> int:
    """Automatic decisions that a person changed next: by reversal, after a report, or in a spot check."""
    after = aliased(Decision)
    query = (
        select(func.count())
        .select_from(Decision)
        .join(after, (after.comment_id == Decision.comment_id) & (after.number == Decision.number + 1))
        .where(
            Decision.created_at >= since,
            Decision.actor_kind == POLICY.kind,
            Decision.model_version == version,
            Decision.action.in_(_AUTOMATIC),
            after.actor_kind.in_(_PEOPLE),
            after.status_after != Decision.status_after,
        )
    )
    return session.scalar(query) or 0
