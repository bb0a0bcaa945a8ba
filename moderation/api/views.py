"""Queue items in the form the queue schemas dump."""

from typing import Any

from sqlalchemy.orm import Session

from moderation.api.access import now
from moderation.api.service import service
from moderation.models import Comment
from moderation.scoring import ModelError
from moderation.services.evidence import Told, around, author_past
from moderation.services.nearest import find_nearest
from moderation.services.queue import QueueEntry, get_context
from moderation.services.remarks import remarks_of
from moderation.services.reports import reports_of


def item_view(entry: QueueEntry) -> dict[str, Any]:
    """One queue item."""
    item = entry.item
    claim = None
    if item.claimed_until is not None and item.claimed_until >= now():
        claim = {
            "moderator": entry.claimed_by,
            "moderator_id": item.claimed_by,
            "until": item.claimed_until,
        }
    return {
        "id": item.id,
        "version": item.version,
        "site_id": item.site_id,
        "reason": item.reason,
        "why": [finding["detail"] for finding in item.findings],
        "findings": item.findings,
        "scores": entry.scores,
        "model_version": item.model_version,
        "claim": claim,
        "comment": _held_comment(entry),
        "language": item.language,
        "reports": item.reports,
        "escalated_at": item.escalated_at,
        "previous_id": item.previous_id,
        "opened_at": item.opened_at,
        "due_at": item.due_at,
        "closed_at": item.closed_at,
    }


def detail_view(session: Session, entry: QueueEntry) -> dict[str, Any]:
    """One queue item with its explanation, its surroundings and its decisions."""
    context, surroundings = get_context(session, entry), around(session, entry.comment)
    return item_view(entry) | {
        "explanation": _explain(entry),
        "parent": surroundings.parent and _told(surroundings.parent),
        "thread_context": [_neighbour(comment, body) for comment, body in context.thread],
        "thread_after": [_neighbour(one.comment, one.body) for one in surroundings.after],
        "author_history": context.author_history,
        "author_past": _author_past(session, entry.comment, context.author_history),
        "similar": [
            _told(one) | {"similarity": one.similarity} for one in find_nearest(session, entry.comment)
        ],
        "decisions": context.decisions,
        "remarks": remarks_of(session, [entry.item.id]),
        "readers_reports": reports_of(session, entry.comment.id),
    }


def _held_comment(entry: QueueEntry) -> dict[str, Any]:
    return {
        "id": entry.comment.id,
        "status": entry.comment.status,
        "body": entry.submission.body,
        "author": entry.comment.author,
        "thread": entry.thread,
        "parent_id": entry.comment.parent_id,
        "created_at": entry.comment.created_at,
    }


def _neighbour(comment: Comment, body: str) -> dict[str, Any]:
    name = comment.author.get("name")
    return {"id": comment.id, "author": name, "body": body, "created_at": comment.created_at}


def _told(told: Told) -> dict[str, Any]:
    comment, decision = told.comment, told.decision
    return {
        "comment_id": comment.id,
        "author": comment.author.get("name"),
        "body": told.body,
        "status": comment.status,
        "reason": comment.reason,
        "created_at": comment.created_at,
        "decided_at": comment.decided_at,
        "decided_by": decision and {"kind": decision.actor_kind, "name": decision.actor_name},
        "decision_id": decision and decision.id,
    }


def _author_past(session: Session, comment: Comment, counts: dict[str, int]) -> dict[str, Any] | None:
    past = author_past(session, comment)
    if past is None:
        return None
    rejected, approved = counts.get("rejected", 0), counts.get("approved", 0)
    share = round(rejected / (rejected + approved), 3) if rejected + approved else None
    latest = [_told(one) for one in past.latest]
    return {"first_seen": past.first_seen, "rejected_share": share, "latest": latest}


def _explain(entry: QueueEntry) -> list[dict[str, Any]]:
    author = {name: entry.comment.author.get(name) for name in ("name", "email", "url")}
    comment = {"body": entry.submission.body, "author": author, "thread": {"title": entry.thread.title}}
    try:
        return service().scorer.explain(comment)
    except ModelError:
        # An item can be decided without its explanation.
        return []
