"""What is done to an item short of deciding it: claim, give back, note, leave it to a maintainer."""

from flask import redirect, request, url_for
from werkzeug.wrappers import Response as Redirect

from moderation.api.access import moderator_caller, now
from moderation.api.bodies import load
from moderation.api.service import service
from moderation.console.blueprint import bp, kept
from moderation.console.queue_pages import item_page
from moderation.console.sign_in import signed_in
from moderation.schemas.queue import EscalationSchema, NoteSchema, ReleaseSchema
from moderation.services.claims import claim_one, release
from moderation.services.errors import ClaimedByOther, StaleItem
from moderation.services.remarks import add_note, escalate


@bp.post("/items/<string:item_id>/claim")
@signed_in
def claim(item_id: str) -> Redirect | tuple[str, int]:
    """Hold an item, or hold it longer: the page that is open does so by itself."""
    try:
        with service().database.write() as writing:
            claim_one(writing, item_id, moderator_caller().moderator_id, now())
    except (ClaimedByOther, StaleItem) as error:
        return item_page(item_id, str(error).capitalize() + "."), 409
    return _back(item_id)


@bp.post("/items/<string:item_id>/release")
@signed_in
def give_back(item_id: str) -> Redirect:
    """Give it back, with the reason if there is one."""
    sent = {"reason": request.form["reason"]} if request.form.get("reason") else {}
    with service().database.write() as writing:
        release(writing, item_id, moderator_caller(), now(), load(ReleaseSchema(), sent).get("reason"))
    return redirect(url_for(".show_queue", **kept()), 303)  # type: ignore[arg-type]


@bp.post("/items/<string:item_id>/notes")
@signed_in
def note(item_id: str) -> Redirect:
    """Keep a note for whoever looks next."""
    text = load(NoteSchema(), {"note": request.form.get("note", "")})["note"]
    with service().database.write() as writing:
        add_note(writing, item_id, text, moderator_caller(), now())
    return _back(item_id)


@bp.post("/items/<string:item_id>/escalation")
@signed_in
def ask_maintainer(item_id: str) -> Redirect | tuple[str, int]:
    """Leave it to a maintainer."""
    sent = {"note": request.form["note"]} if request.form.get("note", "").strip() else {}
    try:
        with service().database.write() as writing:
            escalate(writing, item_id, load(EscalationSchema(), sent).get("note"), moderator_caller(), now())
    except StaleItem as error:
        return item_page(item_id, str(error).capitalize() + "."), 412
    return redirect(url_for(".show_queue", **kept(), escalated_now=item_id), 303)  # type: ignore[arg-type]


def _back(item_id: str) -> Redirect:
    return redirect(url_for(".show_item", item_id=item_id, **kept()), 303)  # type: ignore[arg-type]
