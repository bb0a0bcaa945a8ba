"""What moderators do: decide a held comment, decide many, and take a decision back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from moderation.domain.policy import CLEAN
from moderation.domain.status import ACTION_FOR, Action, Status
from moderation.domain.teaching import labels_taught
from moderation.models import Comment, Decision, Label, Moderator, QueueItem, Role, new_id
from moderation.services.access import ModeratorCaller
from moderation.services.change import lock_comment
from moderation.services.decide import CONFIRMABLE, DUE_HOURS, Act, Actor, findings_from, record_decision
from moderation.services.errors import (
    ClaimedByOther,
    NeedsMaintainer,
    NotFound,
    NotReversible,
    ServiceError,
    StaleItem,
)
from moderation.services.reports import settle_reports


@dataclass(frozen=True)
class Ruling:
    """What a moderator says about a comment."""

    action: Action
    reason: str = CLEAN
    labels: Mapping[str, bool] = field(default_factory=dict)
    note: str | None = None


@dataclass(frozen=True)
class BatchResult:
    """What became of one item of a batch: its decision, or the error that kept it as it was."""

    item_id: str
    decision: Decision | None = None
    error: ServiceError | None = None


def decide_item(
    session: Session,
    item_id: str,
    version: int | None,
    ruling: Ruling,
    by: ModeratorCaller,
    now: datetime,
    batch_id: str | None = None,
) -> Decision:
    """Decide the comment of an open item that is still as the moderator saw it, and learn from it.

    `version` None means: whatever it is now. Raises NotFound, StaleItem, ClaimedByOther.
    """
    comment, item = _lock_item(session, item_id)
    _refuse_if_stale(session, item, version)
    _refuse_if_claimed(session, item, by, now)
    if item.escalated_at is not None and by.role is not Role.MAINTAINER:
        raise NeedsMaintainer("this item was escalated to a maintainer")
    act = Act(
        action=ruling.action,
        reason=ruling.reason,
        actor=Actor(by.role, by.moderator_id, by.name),
        submission_id=comment.submission_id,
        note=ruling.note,
        queue_item_id=item.id,
        batch_id=batch_id,
        confirms=comment.status in CONFIRMABLE,
    )
    decision = record_decision(session, comment, act, now)
    session.flush()
    settle_reports(session, item.id, ruling.action)
    for category, value in labels_taught(ruling.action, ruling.reason, ruling.labels).items():
        session.add(_label(decision, category, value, category in ruling.labels, now))
    return decision


def decide_batch(
    session: Session,
    items: Sequence[tuple[str, int]],
    ruling: Ruling,
    by: ModeratorCaller,
    now: datetime,
) -> tuple[str, list[BatchResult]]:
    """Decide many items by id and version; each succeeds or fails by itself, under one batch id."""
    batch_id = new_id("batch")
    _lock_comments_of(session, [item_id for item_id, _ in items])
    results = []
    for item_id, version in items:
        try:
            decision = decide_item(session, item_id, version, ruling, by, now, batch_id)
            results.append(BatchResult(item_id, decision))
        except ServiceError as error:
            results.append(BatchResult(item_id, error=error))
    return batch_id, results


def get_decision(session: Session, decision_id: str) -> Decision:
    """One decision; raises NotFound."""
    decision = session.get(Decision, decision_id)
    if decision is None:
        raise NotFound("decision")
    return decision


def reverse(
    session: Session, decision_id: str, by: ModeratorCaller, now: datetime, due_hours: float = DUE_HOURS
) -> Decision:
    """Undo a decision: restore the status it changed and retract what it taught.

    A decision of the policy was preceded by `pending`; undoing it hands the comment to people. Raises
    NotFound and NotReversible.
    """
    decision = get_decision(session, decision_id)
    comment = lock_comment(session, decision.comment_id)
    _refuse_if_not_reversible(session, decision)
    before = Status(decision.status_before)
    target = Status.HELD if before is Status.PENDING else before
    confirmed = decision.status_before == decision.status_after and target in CONFIRMABLE
    if comment.status == target and not confirmed:
        raise NotReversible(f"the comment is {target} already")
    _retract_labels(session, decision.id, now)
    # What was reported or drawn by lot is open again, though the comment is not held.
    reopens = decision.queue_item_id
    if reopens is not None:
        settle_reports(session, reopens, None)
    findings = findings_from(decision.findings)
    act = Act(
        action=ACTION_FOR[target],
        reason="reversed",
        actor=Actor(by.role, by.moderator_id, by.name),
        submission_id=comment.submission_id,
        reverses=decision.id,
        due_hours=due_hours,
        findings=findings,
        top_score=max((finding.score or 0.0 for finding in findings), default=0.0),
        model_version=decision.model_version,
        queue_item_id=decision.queue_item_id,
        reopens=reopens,
        confirms=confirmed,
    )
    return record_decision(session, comment, act, now)


def reverse_batch(
    session: Session, batch_id: str, by: ModeratorCaller, now: datetime, due_hours: float = DUE_HOURS
) -> list[tuple[Decision, Decision | None, ServiceError | None]]:
    """Undo every decision of a batch that nothing followed; raises NotFound."""
    decisions = session.scalars(
        select(Decision).where(Decision.batch_id == batch_id).order_by(Decision.comment_id)
    ).all()
    if not decisions:
        raise NotFound("batch")
    results: list[tuple[Decision, Decision | None, ServiceError | None]] = []
    for decision in decisions:
        try:
            results.append((decision, reverse(session, decision.id, by, now, due_hours), None))
        except ServiceError as error:
            results.append((decision, None, error))
    return results


def _lock_comments_of(session: Session, item_ids: list[str]) -> None:
    # All at once and in the order every writer uses: two that lock one by one would wait for each other.
    comments = select(QueueItem.comment_id).where(QueueItem.id.in_(item_ids))
    session.execute(select(Comment.id).where(Comment.id.in_(comments)).order_by(Comment.id).with_for_update())


def _lock_item(session: Session, item_id: str) -> tuple[Comment, QueueItem]:
    comment_id = session.scalar(select(QueueItem.comment_id).where(QueueItem.id == item_id))
    if comment_id is None:
        raise NotFound("queue item")
    # The comment first, as every other writer does.
    comment = lock_comment(session, comment_id)
    item = session.scalars(
        select(QueueItem)
        .where(QueueItem.id == item_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    return comment, item


def _refuse_if_stale(session: Session, item: QueueItem, version: int | None) -> None:
    if item.closed_at is None and version in {None, item.version}:
        return
    last = _latest_decision(session, item.comment_id)
    if last is None or last.actor_kind == "policy":
        raise StaleItem(item.version, None, None, None)
    raise StaleItem(item.version, last.actor_name, last.action, last.created_at)


def _refuse_if_claimed(session: Session, item: QueueItem, by: ModeratorCaller, now: datetime) -> None:
    if item.claimed_until is None or item.claimed_until < now or item.claimed_by == by.moderator_id:
        return
    holder = session.scalar(select(Moderator.name).where(Moderator.id == item.claimed_by))
    raise ClaimedByOther(holder or "another moderator", item.claimed_until)


def _refuse_if_not_reversible(session: Session, decision: Decision) -> None:
    if decision.reverses is not None:
        raise NotReversible("a reversal is not reversed; decide again instead")
    if decision.action in {Action.EDIT, Action.REMOVE, Action.HOLD}:
        raise NotReversible(f"a decision to {decision.action} is not reversed")
    latest = _latest_decision(session, decision.comment_id)
    if latest is None or latest.id != decision.id:
        raise NotReversible("something newer happened to this comment")


def _latest_decision(session: Session, comment_id: str) -> Decision | None:
    return session.scalars(
        select(Decision).where(Decision.comment_id == comment_id).order_by(Decision.number.desc()).limit(1)
    ).first()


def _retract_labels(session: Session, decision_id: str, now: datetime) -> None:
    session.execute(
        update(Label)
        .where(Label.decision_id == decision_id, Label.retracted_at.is_(None))
        .values(retracted_at=now)
    )


def _label(decision: Decision, category: str, value: bool, explicit: bool, now: datetime) -> Label:
    return Label(
        id=new_id("lab"),
        submission_id=decision.submission_id,
        category=category,
        value=value,
        source=decision.actor_kind,
        decision_id=decision.id,
        site_id=decision.site_id,
        moderator_id=decision.actor_id,
        explicit=explicit,
        created_at=now,
    )
