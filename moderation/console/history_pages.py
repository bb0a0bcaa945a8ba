"""What was decided, to be searched and taken back."""

from dataclasses import fields

from flask import render_template, request

from moderation.api.access import now
from moderation.api.bodies import load
from moderation.api.service import service
from moderation.console.blueprint import bp
from moderation.console.sign_in import signed_in
from moderation.schemas.history import HistoryQuerySchema
from moderation.services.access import list_sites
from moderation.services.decided import DecidedFilters, search_decisions
from moderation.services.people import list_people
from moderation.signing import BadCursor, make_cursor, read_cursor

PAGE = 20
_NAMES = tuple(field.name for field in fields(DecidedFilters))


@bp.get("/history")
@signed_in
def show_history() -> str:
    """The latest decisions with these filters, each with its undo while it stands."""
    asked = {name: request.args[name] for name in _NAMES if request.args.get(name, "").strip()}
    filters = DecidedFilters(**load(HistoryQuerySchema(), {"by": "people", **asked}))
    listing, secret = f"history:{filters}", service().settings.secret_key
    with service().database.read() as reading:
        found = search_decisions(reading, filters, now(), before=_before(listing), limit=PAGE + 1)
        more = len(found) > PAGE
        return render_template(
            "console/history.html",
            found=found[:PAGE],
            next_cursor=make_cursor([found[PAGE - 1].decision.id], listing, secret) if more else None,
            filters=filters,
            asked=asked,
            sites=list_sites(reading),
            moderators=[person.moderator.name for person in list_people(reading)],
        )


def _before(listing: str) -> str | None:
    cursor = request.args.get("cursor")
    if not cursor:
        return None
    try:
        return str(read_cursor(cursor, listing, service().settings.secret_key)[0])
    except BadCursor:
        return None
