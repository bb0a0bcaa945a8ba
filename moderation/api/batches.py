"""Many items at once: by ids and versions, or by filters in two steps, and the way back."""

from typing import Any

from moderation.api.access import Who, moderator_caller, now, requires
from moderation.api.bodies import ApiBlueprint
from moderation.api.problems import slug_of
from moderation.api.queue import filters_of
from moderation.api.rulings import ruling_of
from moderation.api.service import service
from moderation.api.views import item_view
from moderation.models import Decision
from moderation.schemas.queue import (
    BatchAnswerSchema,
    BatchSchema,
    SelectionRequestSchema,
    SelectionSchema,
)
from moderation.services.errors import ServiceError
from moderation.services.moderate import decide_batch, reverse_batch
from moderation.services.queue import entries_by_id
from moderation.services.selections import decide_selection, select_items

SAMPLE = 5
bp = ApiBlueprint("batches", __name__, url_prefix="/api/v1/queue", description="Many items at once")


@bp.post("/selections")
@requires(Who.MODERATOR)
@bp.doc(summary="Freeze what has these filters, to decide just that")
@bp.arguments(SelectionRequestSchema)
@bp.response(200, SelectionSchema)
def freeze_items(data: dict[str, Any]) -> dict[str, Any]:
    """Ids and versions are kept for a day: what was seen is what is decided, whatever comes in meanwhile."""
    filters, caller = filters_of(data["filters"]), moderator_caller()
    with service().database.write() as session:
        found = select_items(session, filters, caller, now(), most=data["count"])
        sample = [item_view(entry) for entry in entries_by_id(session, found.item_ids[:SAMPLE])]
    return {
        "selection_id": found.selection_id,
        "count": len(found.item_ids),
        "more": found.more,
        "by_reason": found.by_reason,
        "sample": sample,
    }


@bp.post("/batches")
@requires(Who.MODERATOR)
@bp.doc(summary="Decide many items by id and version, or a selection")
@bp.arguments(BatchSchema)
@bp.response(200, BatchAnswerSchema)
def decide_items(data: dict[str, Any]) -> dict[str, Any]:
    """Each item succeeds or fails by itself; one reversal undoes the batch. A selection is decided once."""
    caller, ruling = moderator_caller(), ruling_of(data)
    with service().database.write() as session:
        if "selection" in data:
            batch_id, decided = decide_selection(session, data["selection"], ruling, caller, now())
        else:
            items = [(item["id"], item["version"]) for item in data["items"]]
            batch_id, decided = decide_batch(session, items, ruling, caller, now())
    return {"batch_id": batch_id, "results": [_result(r.item_id, r.decision, r.error) for r in decided]}


@bp.post("/batches/<string:batch_id>/reversal")
@requires(Who.MODERATOR)
@bp.doc(summary="Undo a batch")
@bp.response(200, BatchAnswerSchema)
def reverse_items(batch_id: str) -> dict[str, Any]:
    """Undo every decision of the batch that nothing followed."""
    with service().database.write() as session:
        due_hours = service().settings.due_hours
        results = reverse_batch(session, batch_id, moderator_caller(), now(), due_hours)
    return {
        "batch_id": batch_id,
        "results": [_result(old.queue_item_id or "", new, error) for old, new, error in results],
    }


def _result(item_id: str, decision: Decision | None, error: ServiceError | None) -> dict[str, Any]:
    if error is not None:
        return {"id": item_id, "result": slug_of(error), "detail": str(error), "decision": None}
    return {"id": item_id, "result": "applied", "detail": None, "decision": decision}
