"""How the decisions of a model version fared, for the circuit breaker."""

from collections import Counter, defaultdict
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
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


def records_of(session: Session, version: str, since: datetime) -> dict[str, Record]:
    """What the policy decided by a version since then, and what people made of it, by site."""
    decided = (
        select(Decision.site_id, Decision.action, Decision.reason, func.count())
        .where(*_by(version, since))
        .group_by(Decision.site_id, Decision.action, Decision.reason)
    )
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for site_id, action, reason, count in session.execute(decided):
        counts[site_id][action] += count
        counts[site_id][UNPROVEN] += count if reason == UNPROVEN else 0
    corrected = _corrected(session, version, since)
    return {
        site_id: Record(
            decided=sum(of_site[action] for action in Action),
            approved=of_site[Action.APPROVE],
            automatic=sum(of_site[action] for action in _AUTOMATIC),
            corrected=corrected.get(site_id, 0),
            unproven=of_site[UNPROVEN],
        )
        for site_id, of_site in counts.items()
    }


def _corrected(session: Session, version: str, since: datetime) -> dict[str, int]:
    """Automatic decisions that a person changed next: by reversal, after a report, or in a spot check."""
    after = aliased(Decision)
    query = (
        select(Decision.site_id, func.count())
        .join(after, (after.comment_id == Decision.comment_id) & (after.number == Decision.number + 1))
        .where(
            *_by(version, since),
            Decision.action.in_(_AUTOMATIC),
            after.actor_kind.in_(_PEOPLE),
            after.status_after != Decision.status_after,
        )
        .group_by(Decision.site_id)
    )
    return dict(session.execute(query).all())


def _by(version: str, since: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        Decision.created_at >= since,
        Decision.actor_kind == POLICY.kind,
        Decision.model_version == version,
    )
