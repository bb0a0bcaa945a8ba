"""What moderators say about an item short of deciding it, and all that happened to it."""

from typing import Any

from moderation.api.access import Who, moderator_caller, now, requires
from moderation.api.bodies import ApiBlueprint
from moderation.api.service import service
from moderation.api.views import item_view
from moderation.models import Remark
from moderation.schemas.queue import (
    EscalationSchema,
    EventsSchema,
    NoteSchema,
    QueueItemSchema,
    RemarkSchema,
)
from moderation.services.history import events_of
from moderation.services.queue import get_entry
from moderation.services.remarks import add_note, escalate

bp = ApiBlueprint("desk", __name__, url_prefix="/api/v1/queue", description="Around an item")


@bp.post("/<string:item_id>/notes")
@requires(Who.MODERATOR)
@bp.doc(summary="Note something about an item")
@bp.arguments(NoteSchema)
@bp.response(201, RemarkSchema)
def note_item(data: dict[str, Any], item_id: str) -> Remark:
    """Kept beside the item for whoever looks at it next; the site never sees it."""
    with service().database.write() as session:
        return add_note(session, item_id, data["note"], moderator_caller(), now())


@bp.post("/<string:item_id>/escalation")
@requires(Who.MODERATOR)
@bp.doc(summary="Leave an item to a maintainer")
@bp.arguments(EscalationSchema)
@bp.response(200, QueueItemSchema)
def escalate_item(data: dict[str, Any], item_id: str) -> dict[str, Any]:
    """Give it back; from now on only a maintainer may decide it."""
    with service().database.write() as session:
        escalate(session, item_id, data.get("note"), moderator_caller(), now())
        session.flush()
        session.expire_all()
        return item_view(get_entry(session, item_id))


@bp.get("/<string:item_id>/events")
@requires(Who.MODERATOR)
@bp.doc(summary="All that happened to the comment of an item")
@bp.response(200, EventsSchema)
def read_events(item_id: str) -> dict[str, Any]:
    """Reports, items, remarks, decisions and reversals, in the order they happened."""
    with service().database.read() as session:
        return {"items": events_of(session, get_entry(session, item_id))}
