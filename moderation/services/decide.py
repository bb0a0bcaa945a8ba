"""The one writer of status: every change of a comment after `accept` ends in `record_decision`."""

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from moderation.domain.policy import Finding
from moderation.domain.status import LEADS_TO, Action, Status, may
from moderation.models import Comment, Decision, QueueItem, new_id
from moderation.services.errors import NotAllowed
from moderation.services.tally import note

DUE_HOURS = 24.0


@dataclass(frozen=True)
class Actor:
    """Who decided: the policy, a moderator or the author."""

    kind: str
    id: str | None
    name: str


POLICY = Actor("policy", None, "policy")
AUTHOR = Actor("author", None, "author")


@dataclass(frozen=True)
class Act:
    """What is to be recorded, and on which submission it was judged."""

    action: Action
    reason: str
    actor: Actor
    submission_id: str
    findings: tuple[Finding, ...] = ()
    model_version: str | None = None
    policy_version: int | None = None
    top_score: float = 0.0
    due_hours: float = DUE_HOURS
    note: str | None = None
    queue_item_id: str | None = None
    batch_id: str | None = None
    reverses: str | None = None
    reopens: str | None = field(default=None, kw_only=True)


def record_decision(session: Session, comment: Comment, act: Act, now: datetime) -> Decision:
    """Record one decision on a comment the caller has locked, and all that follows from it.

    Raises NotAllowed when the status does not allow the action or the submission judged is no longer
    the latest: a verdict on an old text must never decide a new one.
    """
    before, after = Status(comment.status), LEADS_TO[act.action]
    if not may(before, act.action):
        raise NotAllowed(f"a comment that is {before} cannot become {after}")
    if act.submission_id != comment.submission_id:
        raise NotAllowed("the comment was edited meanwhile")
    decision = _decision(comment, act, before, after, now)
    session.add(decision)
    note(session, "decided", act.actor.kind, act.action, act.reason, _seconds_waited(comment, act, now))
    if before is Status.HELD:
        _close_queue_item(session, comment.id, now)
    comment.status, comment.reason = after, None if after is Status.PENDING else act.reason
    comment.decided_at = None if after is Status.PENDING else now
    comment.version += 1
    if after is Status.HELD:
        _open_queue_item(session, comment, act, now)
    return decision


def _seconds_waited(comment: Comment, act: Act, now: datetime) -> float | None:
    """How long a comment waited for the policy; after an edit it is another wait, which nobody measures."""
    first = act.actor.kind == POLICY.kind and comment.version == 1
    return max(0.0, (now - comment.created_at).total_seconds()) if first else None


def _decision(comment: Comment, act: Act, before: Status, after: Status, now: datetime) -> Decision:
    return Decision(
        id=new_id("dec"),
        site_id=comment.site_id,
        comment_id=comment.id,
        submission_id=act.submission_id,
        number=comment.version + 1,
        action=act.action,
        reason=act.reason,
        status_before=before,
        status_after=after,
        actor_kind=act.actor.kind,
        actor_id=act.actor.id,
        actor_name=act.actor.name,
        findings=stored_findings(act.findings),
        model_version=act.model_version,
        policy_version=act.policy_version,
        note=act.note,
        queue_item_id=act.queue_item_id,
        batch_id=act.batch_id,
        reverses=act.reverses,
        created_at=now,
    )


def stored_findings(findings: tuple[Finding, ...]) -> list[dict[str, Any]]:
    """Findings as they are kept and shown: members that are unknown are left out."""
    return [{k: v for k, v in asdict(finding).items() if v is not None} for finding in findings]


def findings_from(stored: list[dict[str, Any]]) -> tuple[Finding, ...]:
    """The findings of an earlier decision, to be shown again."""
    return tuple(Finding(**{**finding, "outcome": Action(finding["outcome"])}) for finding in stored)


def _close_queue_item(session: Session, comment_id: str, now: datetime) -> None:
    session.execute(
        update(QueueItem)
        .where(QueueItem.comment_id == comment_id, QueueItem.closed_at.is_(None))
        .values(closed_at=now, version=QueueItem.version + 1, claimed_by=None, claimed_until=None)
    )


def _open_queue_item(session: Session, comment: Comment, act: Act, now: datetime) -> None:
    if act.reopens is not None:
        session.execute(
            update(QueueItem)
            .where(QueueItem.id == act.reopens)
            .values(closed_at=None, version=QueueItem.version + 1, claimed_by=None, claimed_until=None)
        )
        return
    session.add(
        QueueItem(
            id=new_id("item"),
            site_id=comment.site_id,
            comment_id=comment.id,
            submission_id=act.submission_id,
            reason=act.reason,
            findings=stored_findings(act.findings),
            model_version=act.model_version,
            top_score=act.top_score,
            opened_at=now,
            due_at=now + timedelta(hours=act.due_hours),
        )
    )
