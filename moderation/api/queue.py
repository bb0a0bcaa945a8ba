"""The queue of held comments: list, claim, look, decide, take back."""

from datetime import datetime
from typing import Any

from flask import Response, jsonify

from moderation.api.access import Who, moderator_caller, now, requires
from moderation.api.bodies import ApiBlueprint, expected_version
from moderation.api.problems import Problem, slug_of
from moderation.api.service import service
from moderation.api.views import detail_view, item_view
from moderation.domain.policy import CLEAN
from moderation.domain.status import Action
from moderation.models import Decision
from moderation.schemas.queue import (
    BatchAnswerSchema,
    BatchSchema,
    ClaimedSchema,
    ClaimRequestSchema,
    ClaimSchema,
    DecidedSchema,
    DecisionSchema,
    ItemDetailSchema,
    QueuePageSchema,
    QueueQuerySchema,
    RenewSchema,
    RulingSchema,
)
from moderation.services.claims import claim_next, claim_one, release
from moderation.services.errors import ServiceError
from moderation.services.moderate import (
    Ruling,
    decide_batch,
    decide_item,
    get_decision,
    reverse,
    reverse_batch,
)
from moderation.services.queue import (
    QueueFilters,
    Sort,
    entries_by_id,
    get_entry,
    list_queue,
    open_item_of,
    sort_value,
)
from moderation.signing import make_cursor, read_cursor

bp = ApiBlueprint("queue", __name__, url_prefix="/api/v1", description="Held comments and decisions")

_IF_MATCH = {"in": "header", "name": "If-Match", "required": True, "schema": {"type": "string"}}


@bp.get("/queue")
@requires(Who.MODERATOR)
@bp.doc(summary="Open queue items")
@bp.arguments(QueueQuerySchema, location="query")
@bp.response(200, QueuePageSchema)
def read_queue(query: dict[str, Any]) -> dict[str, Any]:
    """A page of open items; a cursor is good for the same filters and order only."""
    cursor, limit, sort = query.pop("cursor", None), query.pop("limit"), query.pop("sort")
    filters, secret = QueueFilters(**query), service().settings.secret_key
    listing = f"queue:{sort}:{filters}"
    after = _position(read_cursor(cursor, listing, secret), sort) if cursor else None
    with service().database.read() as session:
        found = list_queue(session, filters, now(), sort=sort, after=after, limit=limit + 1)
    page = found[:limit]
    following = None
    if len(found) > limit:
        following = make_cursor([sort_value(page[-1], sort), page[-1].item.id], listing, secret)
    return {"items": [item_view(entry) for entry in page], "next_cursor": following}


@bp.post("/queue/claims")
@requires(Who.MODERATOR)
@bp.doc(summary="Claim the next items")
@bp.arguments(ClaimRequestSchema)
@bp.response(200, ClaimedSchema)
def claim_items(data: dict[str, Any]) -> dict[str, Any]:
    """Claim the most urgent free items; they come to no other moderator until the claim ends."""
    filters = QueueFilters(**data["filters"])
    with service().database.write() as session:
        ids = claim_next(
            session,
            moderator_caller().moderator_id,
            filters,
            now(),
            count=data["count"],
            seconds=data["seconds"],
        )
        return {"items": [item_view(entry) for entry in entries_by_id(session, ids)]}


@bp.get("/queue/<string:item_id>")
@requires(Who.MODERATOR)
@bp.doc(summary="One item with everything around it")
@bp.response(200, ItemDetailSchema)
def read_item(item_id: str) -> Response:
    """The item, why it is here, its thread, similar decided comments and the author's history."""
    with service().database.read() as session:
        view = detail_view(session, get_entry(session, item_id))
    response = jsonify(ItemDetailSchema().dump(view))
    # The tag to send as If-Match with a decision.
    response.set_etag(str(view["version"]))
    return response


@bp.put("/queue/<string:item_id>/claim")
@requires(Who.MODERATOR)
@bp.doc(summary="Claim or renew one item")
@bp.arguments(RenewSchema, required=False)
@bp.response(200, ClaimSchema)
def claim_item(data: dict[str, Any], item_id: str) -> dict[str, Any]:
    """Hold this item for a while from now."""
    caller = moderator_caller()
    with service().database.write() as session:
        until = claim_one(session, item_id, caller.moderator_id, now(), data["seconds"])
    return {"moderator": caller.name, "moderator_id": caller.moderator_id, "until": until}


@bp.delete("/queue/<string:item_id>/claim")
@requires(Who.MODERATOR)
@bp.doc(summary="Give an item back")
@bp.response(204)
def release_item(item_id: str) -> None:
    """Release one's claim; harmless without one."""
    with service().database.write() as session:
        release(session, item_id, moderator_caller().moderator_id)


@bp.post("/queue/<string:item_id>/decision")
@requires(Who.MODERATOR)
@bp.doc(summary="Decide a held comment", parameters=[_IF_MATCH])
@bp.arguments(RulingSchema)
@bp.response(200, DecidedSchema)
def decide(data: dict[str, Any], item_id: str) -> dict[str, Any]:
    """Approve or reject; the item must be as the moderator saw it, and nobody else's."""
    version, ruling = expected_version(), _ruling(data)
    with service().database.write() as session:
        decision = decide_item(session, item_id, version, ruling, moderator_caller(), now())
        session.flush()
        return {"decision": decision, "item": item_view(get_entry(session, item_id))}


@bp.post("/decisions/<string:decision_id>/reversal")
@requires(Who.MODERATOR)
@bp.doc(summary="Undo a decision")
@bp.response(200, DecidedSchema)
def reverse_decision(decision_id: str) -> dict[str, Any]:
    """Restore the status from before and retract what the decision taught."""
    with service().database.write() as session:
        due_hours = service().settings.due_hours
        decision = reverse(session, decision_id, moderator_caller(), now(), due_hours)
        session.flush()
        item_id = decision.queue_item_id or open_item_of(session, decision.comment_id)
        item = item_view(get_entry(session, item_id)) if item_id else None
        return {"decision": decision, "item": item}


@bp.post("/queue/batches")
@requires(Who.MODERATOR)
@bp.doc(summary="Decide many items by id and version")
@bp.arguments(BatchSchema)
@bp.response(200, BatchAnswerSchema)
def decide_items(data: dict[str, Any]) -> dict[str, Any]:
    """Each item succeeds or fails by itself; one reversal undoes the batch."""
    items = [(item["id"], item["version"]) for item in data["items"]]
    with service().database.write() as session:
        batch_id, results = decide_batch(session, items, _ruling(data), moderator_caller(), now())
    return {"batch_id": batch_id, "results": [_result(r.item_id, r.decision, r.error) for r in results]}


@bp.post("/queue/batches/<string:batch_id>/reversal")
@requires(Who.MODERATOR)
@bp.doc(summary="Undo a batch")
@bp.response(200, BatchAnswerSchema)
def reverse_items(batch_id: str) -> dict[str, Any]:
    """Undo every decision of the batch that nothing followed."""
    with service().database.write() as session:
        results = reverse_batch(session, batch_id, moderator_caller(), now())
    return {
        "batch_id": batch_id,
        "results": [_result(old.queue_item_id or "", new, error) for old, new, error in results],
    }


@bp.get("/decisions/<string:decision_id>")
@requires(Who.MODERATOR)
@bp.doc(summary="One decision")
@bp.response(200, DecisionSchema)
def read_decision(decision_id: str) -> Decision:
    """Who decided what, when, on which text and why."""
    with service().database.read() as session:
        return get_decision(session, decision_id)


def _ruling(data: dict[str, Any]) -> Ruling:
    action = Action(data["action"])
    reason = data.get("reason")
    if reason is None and action is Action.REJECT:
        raise Problem("invalid", "a rejection needs a reason", errors=[_MISSING_REASON])
    return Ruling(action, reason or CLEAN, data["labels"], data.get("note"))


_MISSING_REASON = {"pointer": "/reason", "detail": "Missing data for required field."}


def _position(values: list[Any], sort: Sort) -> tuple[Any, str]:
    key, item_id = values
    return (key if sort is Sort.SCORE else datetime.fromisoformat(key)), item_id


def _result(item_id: str, decision: Decision | None, error: ServiceError | None) -> dict[str, Any]:
    if error is not None:
        return {"id": item_id, "result": slug_of(error), "detail": str(error), "decision": None}
    return {"id": item_id, "result": "applied", "detail": None, "decision": decision}
