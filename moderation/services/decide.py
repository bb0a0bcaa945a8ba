"""The one writer of status: every change of a comment after `accept` ends here.

`record_decision` serves people and authors, one comment at a time; `record_decisions` the policy, a batch
at a time. The rule, the decision's row and how the comment stands afterwards are the same functions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from moderation.domain.policy import Finding
from moderation.domain.spot_checks import SPOT_CHECK
from moderation.domain.status import LEADS_TO, Action, Status, may
from moderation.models import Comment, Decision, QueueItem, new_id, table_of
from moderation.services.errors import NotAllowed
from moderation.services.recall import NOT_PEOPLE, remember
from moderation.services.rows import run_many
from moderation.services.tally import note
from moderation.services.webhook_outbox import tell_decisions

DUE_HOURS = 24.0
# What a person may look at and leave as it is.
CONFIRMABLE = frozenset({Status.APPROVED, Status.REJECTED})
# A finding stored by newer code may say more.
_MEMBERS = {member.name for member in fields(Finding)}


@dataclass(frozen=True)
class Actor:
    """Who decided: the policy, a moderator, the author, the site, or an import."""

    kind: str
    id: str | None
    name: str


POLICY = Actor("policy", None, "policy")
AUTHOR = Actor("author", None, "author")
# What a site decided elsewhere, before it came here.
IMPORT = Actor("import", None, "import")


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
    # Of a decision without a person that one is to look at: the chance with which it was drawn.
    sampling_probability: float | None = field(default=None, kw_only=True)
    # What the item says, where that is more than the decision's own findings.
    item_findings: tuple[Finding, ...] = field(default=(), kw_only=True)
    # Deciding what is decided so already: its reports or the decision itself were looked at, and it stays.
    confirms: bool = field(default=False, kw_only=True)


class Decidable(Protocol):
    """What is to be known of a comment before a decision on it: a Comment, or a row of these columns."""

    @property
    def id(self) -> Any: ...
    @property
    def site_id(self) -> Any: ...
    @property
    def status(self) -> Any: ...
    @property
    def version(self) -> Any: ...
    @property
    def submission_id(self) -> Any: ...
    @property
    def created_at(self) -> Any: ...


def record_decision(session: Session, comment: Comment, act: Act, now: datetime) -> Decision:
    """Record one decision on a comment the caller has locked, and all that follows from it.

    Raises NotAllowed when the status does not allow the action or the submission judged is no longer
    the latest: a verdict on an old text must never decide a new one.
    """
    decided = _decide(comment, act, now)
    decision = Decision(**decided)
    session.add(decision)
    _tell(session, comment, act, now)
    # Held comments have an item, and so may published ones that readers reported.
    _close_queue_item(session, comment.id, now)
    for name, value in _standing(decided).items():
        setattr(comment, name, value)
    if comment.status == Status.HELD or act.reopens is not None:
        _open_queue_item(session, comment, act, now)
    elif act.actor.kind not in NOT_PEOPLE:
        remember(session, comment.site_id, act.submission_id)
    tell_decisions(session, [decided], now)
    return decision


def record_decisions(session: Session, acts: Sequence[tuple[Decidable, Act]], now: datetime) -> None:
    """Record the policy's decisions on pending comments the caller has locked: the same, with few statements.

    Raises NotAllowed as `record_decision` does, and then nothing is recorded.
    """
    decided = [_decide(comment, act, now) for comment, act in acts]
    if any(row["status_before"] != Status.PENDING for row in decided):
        raise NotAllowed("only pending comments are decided together")
    held = [
        _queue_item(comment, act, now)
        for (comment, act), row in zip(acts, decided, strict=True)
        if row["status_after"] == Status.HELD or act.sampling_probability is not None
    ]
    for comment, act in acts:
        _tell(session, comment, act, now)
    run_many(session, _INSERT_DECISIONS, decided)
    run_many(session, _STAND, [_standing(row) | {"comment": row["comment_id"]} for row in decided])
    run_many(session, _INSERT_QUEUE_ITEMS, held)
    tell_decisions(session, decided, now)


def record_imported(session: Session, acts: Sequence[tuple[Decidable, Act, datetime]]) -> list[str]:
    """Record what was decided elsewhere, each at its own time; gives the ids of the decisions.

    Nobody is told and nothing is counted: it is no news and no work of anybody here.
    """
    decided = [_decide(comment, act, at) | {"id": new_id("dec", at)} for comment, act, at in acts]
    run_many(session, _INSERT_DECISIONS, decided)
    run_many(session, _STAND, [_standing(row) | {"comment": row["comment_id"]} for row in decided])
    return [row["id"] for row in decided]


def _decide(comment: Decidable, act: Act, now: datetime) -> dict[str, Any]:
    """The decision's row, if the rules allow it."""
    before, after = Status(comment.status), LEADS_TO[act.action]
    confirmed = act.confirms and before is after and before in CONFIRMABLE
    if not confirmed and not may(before, act.action):
        raise NotAllowed(f"a comment that is {before} cannot become {after}")
    if act.submission_id != comment.submission_id:
        raise NotAllowed("the comment was edited meanwhile")
    return {
        "id": new_id("dec"),
        "site_id": comment.site_id,
        "comment_id": comment.id,
        "submission_id": act.submission_id,
        "number": comment.version + 1,
        "action": act.action,
        "reason": act.reason,
        "status_before": before,
        "status_after": after,
        "actor_kind": act.actor.kind,
        "actor_id": act.actor.id,
        "actor_name": act.actor.name,
        "findings": stored_findings(act.findings),
        "model_version": act.model_version,
        "policy_version": act.policy_version,
        "note": act.note,
        "queue_item_id": act.queue_item_id,
        "batch_id": act.batch_id,
        "reverses": act.reverses,
        "created_at": now,
    }


def _tell(session: Session, comment: Decidable, act: Act, now: datetime) -> None:
    """Count the decision, and how long the comment waited for the policy (unless it was edited meanwhile)."""
    first = act.actor.kind == POLICY.kind and comment.version == 1
    seconds = max(0.0, (now - comment.created_at).total_seconds()) if first else None
    note(session, "decided", act.actor.kind, act.action, act.reason, seconds)


def _standing(decided: Mapping[str, Any]) -> dict[str, Any]:
    """How the comment stands after a decision."""
    waits = decided["status_after"] is Status.PENDING
    return {
        "status": decided["status_after"],
        "reason": None if waits else decided["reason"],
        "decided_at": None if waits else decided["created_at"],
        "version": decided["number"],
    }


def stored_findings(findings: tuple[Finding, ...]) -> list[dict[str, Any]]:
    """Findings as they are kept and shown: members that are unknown are left out."""
    return [{k: v for k, v in vars(finding).items() if v is not None} for finding in findings]


def findings_from(stored: list[dict[str, Any]]) -> tuple[Finding, ...]:
    """The findings of an earlier decision, to be shown again."""
    known = [{name: value for name, value in finding.items() if name in _MEMBERS} for finding in stored]
    return tuple(Finding(**{**finding, "outcome": Action(finding["outcome"])}) for finding in known)


def _close_queue_item(session: Session, comment_id: str, now: datetime) -> None:
    session.execute(
        update(QueueItem)
        .where(QueueItem.comment_id == comment_id, QueueItem.closed_at.is_(None))
        .values(
            closed_at=now,
            version=QueueItem.version + 1,
            claimed_by=None,
            claimed_until=None,
            claimed_since=None,
        )
    )


def _open_queue_item(session: Session, comment: Comment, act: Act, now: datetime) -> None:
    if act.reopens is not None:
        session.execute(
            update(QueueItem)
            .where(QueueItem.id == act.reopens)
            .values(
                closed_at=None,
                version=QueueItem.version + 1,
                claimed_by=None,
                claimed_until=None,
                claimed_since=None,
            )
        )
        return
    session.add(QueueItem(**_queue_item(comment, act, now)))


def _queue_item(comment: Decidable, act: Act, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id("item"),
        "site_id": comment.site_id,
        "comment_id": comment.id,
        "submission_id": act.submission_id,
        "reason": act.reason if act.sampling_probability is None else SPOT_CHECK,
        "findings": stored_findings(act.item_findings or act.findings),
        "model_version": act.model_version,
        "top_score": act.top_score,
        "opened_at": now,
        "due_at": now + timedelta(hours=act.due_hours),
        "version": 1,
        "reports": 0,
        "sampling_probability": act.sampling_probability,
    }


# Written once: putting a statement together takes longer than running it.
_INSERT_DECISIONS, _INSERT_QUEUE_ITEMS = table_of(Decision).insert(), table_of(QueueItem).insert()
_STAND = (
    update(table_of(Comment))
    .where(table_of(Comment).c.id == bindparam("comment"))
    .values({name: bindparam(name) for name in ("status", "reason", "decided_at", "version")})
)
