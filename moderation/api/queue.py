"""The queue of held comments: list, claim, look, decide, take back."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import Response, jsonify, request

from moderation.api.access import Who, moderator_caller, now, requires
from moderation.api.bodies import ApiBlueprint, expected_version
from moderation.api.rulings import ruling_of
from moderation.api.service import service
from moderation.api.views import detail_view, item_view
from moderation.models import Decision, Role
from moderation.schemas.queue import (
    ClaimedSchema,
    ClaimRequestSchema,
    ClaimSchema,
    DecidedSchema,
    DecisionSchema,
    ItemDetailSchema,
    QueuePageSchema,
    QueueQuerySchema,
    ReleasedSchema,
    ReleaseSchema,
    RenewSchema,
    RulingSchema,
)
from moderation.services.claims import claim_next, claim_one, release, release_all
from moderation.services.moderate import decide_item, get_decision, reverse
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
def read_queue(query: dict[str, Any]) -> Any:
    """A page of open items; a cursor is good for the same filters and order only."""
    cursor, limit, sort = query.pop("cursor", None), query.pop("limit"), query.pop("sort")
    filters, secret = filters_of(query), service().settings.secret_key
    listing = f"queue:{sort}:{filters}"
    after = _position(read_cursor(cursor, listing, secret), sort) if cursor else None
    with service().database.read() as session:
        found = list_queue(session, filters, now(), sort=sort, after=after, limit=limit + 1)
    page = found[:limit]
    following = None
    if len(found) > limit:
        following = make_cursor([sort_value(page[-1], sort), page[-1].item.id], listing, secret)
    body = {"items": [item_view(entry) for entry in page], "next_cursor": following, "stable": sort.stable}
    return body, next_page(following)


@bp.post("/queue/claims")
@requires(Who.MODERATOR)
@bp.doc(summary="Claim the next items")
@bp.arguments(ClaimRequestSchema)
@bp.response(200, ClaimedSchema)
def claim_items(data: dict[str, Any]) -> dict[str, Any]:
    """Claim the most urgent free items; they come to no other moderator until the claim ends."""
    filters = filters_of(data["filters"])
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
@bp.arguments(ReleaseSchema, location="query")
@bp.response(204)
def release_item(query: dict[str, Any], item_id: str) -> None:
    """Release one's claim; harmless without one."""
    with service().database.write() as session:
        release(session, item_id, moderator_caller(), now(), query.get("reason"))


@bp.delete("/queue/claims")
@requires(Who.MODERATOR)
@bp.doc(summary="Give everything back")
@bp.response(200, ReleasedSchema)
def release_items() -> dict[str, int]:
    """Release all one's claims, as when the day is over."""
    with service().database.write() as session:
        return {"released": release_all(session, moderator_caller().moderator_id)}


@bp.post("/queue/<string:item_id>/decision")
@requires(Who.MODERATOR)
@bp.doc(summary="Decide a held comment", parameters=[_IF_MATCH])
@bp.arguments(RulingSchema)
@bp.response(200, DecidedSchema)
def decide(data: dict[str, Any], item_id: str) -> dict[str, Any]:
    """Approve or reject; the item must be as the moderator saw it, and nobody else's."""
    version, ruling = expected_version(), ruling_of(data)
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


@bp.get("/decisions/<string:decision_id>")
@requires(Who.MODERATOR)
@bp.doc(summary="One decision")
@bp.response(200, DecisionSchema)
def read_decision(decision_id: str) -> Decision:
    """Who decided what, when, on which text and why."""
    with service().database.read() as session:
        return get_decision(session, decision_id)


def filters_of(asked: dict[str, Any]) -> QueueFilters:
    """The filters asked for; a moderator is not shown what was left to a maintainer, unless they ask."""
    caller = moderator_caller()
    found = dict(asked)
    if found.pop("mine", False):
        found["claimed_by"] = caller.moderator_id
    if caller.role is not Role.MAINTAINER:
        found.setdefault("escalated", False)
    return QueueFilters(**found)


def next_page(cursor: str | None) -> dict[str, str]:
    """The following page as a link (RFC 8288)."""
    if cursor is None:
        return {}
    asked = [(name, value) for name, value in request.args.items() if name != "cursor"]
    return {"Link": f'<{request.path}?{urlencode([*asked, ("cursor", cursor)])}>; rel="next"'}


def _position(values: list[Any], sort: Sort) -> tuple[Any, str]:
    key, item_id = values
    return (key if sort in {Sort.SCORE, Sort.UNCERTAINTY} else datetime.fromisoformat(key)), item_id
