"""The queue, one item, and the forms that decide."""

from datetime import datetime
from typing import Any

from flask import Response, jsonify, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as Redirect

from moderation.api.access import moderator_caller, now
from moderation.api.bodies import load
from moderation.api.problems import PROBLEMS, Problem, slug_of
from moderation.api.queue import filters_of
from moderation.api.service import service
from moderation.api.views import detail_view, item_view
from moderation.console import words
from moderation.console.blueprint import FILTERS, bp, chosen, kept
from moderation.console.sign_in import signed_in
from moderation.domain.policy import CATEGORIES
from moderation.domain.status import Action
from moderation.models import Decision
from moderation.schemas.queue import FiltersSchema, RulingSchema
from moderation.services.access import list_sites
from moderation.services.errors import (
    ClaimedByOther,
    NeedsMaintainer,
    NotAllowed,
    NotFound,
    NotReversible,
    ServiceError,
    StaleItem,
)
from moderation.services.history import events_of
from moderation.services.moderate import (
    Ruling,
    decide_batch,
    decide_item,
    get_decision,
    reverse,
    reverse_batch,
)
from moderation.services.published import get_comment
from moderation.services.queue import QueueEntry, QueueFilters, Sort, get_entry, list_queue, sort_value
from moderation.services.statistics import queue_counts
from moderation.signing import BadCursor, make_cursor, read_cursor

PAGE = 20
MOST_AT_ONCE = 100
# What the moderator can do nothing about, but should be told with who and when.
CONFLICTS = (StaleItem, ClaimedByOther, NotReversible, NotAllowed, NeedsMaintainer)


@bp.get("")
@bp.get("/")
@signed_in
def show_queue() -> Response:
    """What needs a person, in the order asked for."""
    return make_response(queue_page())


@bp.get("/counts")
@signed_in
def show_counts() -> Response:
    """How long the queue is now, for the page that is open."""
    with service().database.read() as reading:
        counts = queue_counts(reading, now())
    return jsonify({"open": counts["open"], "overdue": counts["overdue"]})


@bp.get("/items/<string:item_id>")
@signed_in
def show_item(item_id: str) -> str:
    """One item with everything around it."""
    return item_page(item_id)


@bp.post("/items/<string:item_id>/decision")
@signed_in
def decide(item_id: str) -> Response | Redirect:
    """Approve or reject as the API does, then on to the next card."""
    # A version that is no number is none of ours, so it cannot be the current one.
    version, ruling = request.form.get("version", -1, type=int), _ruling()
    try:
        with service().database.write() as writing:
            decision = decide_item(writing, item_id, version, ruling, moderator_caller(), now())
    except CONFLICTS as error:
        return _conflict(error, item_id=item_id)
    return redirect(_queue_address(decision, request.form.get("next")), 303)


@bp.post("/decisions/<string:decision_id>/reversal")
@signed_in
def take_back(decision_id: str) -> Response | Redirect:
    """Undo a decision: the comment is what it was before, and what was learned is forgotten."""
    try:
        with service().database.write() as writing:
            due_hours = service().settings.due_hours
            decision = reverse(writing, decision_id, moderator_caller(), now(), due_hours)
    except CONFLICTS as error:
        return _conflict(error, decision_id=decision_id)
    return redirect(_queue_address(decision, decision.queue_item_id), 303)


@bp.post("/batches")
@signed_in
def decide_chosen() -> Redirect:
    """One ruling for all that was ticked; each succeeds or fails by itself."""
    items, ruling = _ticked(), _ruling()
    with service().database.write() as writing:
        batch_id, results = decide_batch(writing, items, ruling, moderator_caller(), now())
    done = sum(result.decision is not None for result in results)
    told = {"batch": batch_id, "done": done, "left": len(results) - done, "as": ruling.reason}
    return redirect(url_for(".show_queue", **kept(), **told), 303)  # type: ignore[arg-type]


@bp.post("/batches/<string:batch_id>/reversal")
@signed_in
def take_batch_back(batch_id: str) -> Redirect:
    """Undo every decision of a batch that nothing followed."""
    with service().database.write() as writing:
        due_hours = service().settings.due_hours
        results = reverse_batch(writing, batch_id, moderator_caller(), now(), due_hours)
    undone = sum(new is not None for _, new, _ in results)
    told = {"undone": undone, "left": len(results) - undone}
    return redirect(url_for(".show_queue", **kept(), **told), 303)  # type: ignore[arg-type]


def queue_page(refused: str = "") -> str:
    """The page of the queue, with what was refused if anything was."""
    filters, sort, at = _filters(), _sort(), now()
    with service().database.read() as reading:
        found = list_queue(reading, filters, at, sort=sort, after=_after(filters, sort), limit=PAGE + 1)
        return render_template(
            "console/queue.html",
            items=[item_view(entry) for entry in found[:PAGE]],
            next_cursor=_cursor(found[PAGE - 1], filters, sort) if len(found) > PAGE else None,
            counts=queue_counts(reading, at),
            categories=CATEGORIES,
            sites=list_sites(reading),
            orders=words.ORDERS,
            sort=sort,
            chosen=chosen(),
            decision=_own_decision(reading),
            batch=words.batch_done(request.args),
            refused=refused,
        )


def item_page(item_id: str, refused: str = "") -> str:
    """The page of one item."""
    with service().database.read() as reading:
        entry = get_entry(reading, item_id)
        item = detail_view(reading, entry)
        return render_template(
            "console/item.html",
            item=item,
            events=events_of(reading, entry),
            parts=words.marked(item["comment"]["body"], item["explanation"]),
            categories=CATEGORIES,
            refused=refused,
        )


def _filters() -> QueueFilters:
    asked = {name: value for name, value in chosen().items() if name in FILTERS}
    return filters_of(load(FiltersSchema(only=FILTERS), asked))


def _sort() -> Sort:
    try:
        return Sort(request.args.get("sort") or Sort.DUE)
    except ValueError:
        raise Problem("invalid", "There is no such order.") from None


def _cursor(last: QueueEntry, filters: QueueFilters, sort: Sort) -> str:
    position = [sort_value(last, sort), last.item.id]
    return make_cursor(position, _listing(filters, sort), service().settings.secret_key)


def _after(filters: QueueFilters, sort: Sort) -> tuple[Any, str] | None:
    cursor = request.args.get("cursor")
    if not cursor:
        return None
    try:
        value, item_id = read_cursor(cursor, _listing(filters, sort), service().settings.secret_key)
    except BadCursor:
        # An old or broken link still leads to the queue.
        return None
    return (datetime.fromisoformat(value) if isinstance(value, str) else value), item_id


def _listing(filters: QueueFilters, sort: Sort) -> str:
    return f"console:{sort}:{filters}"


def _own_decision(reading: Session) -> Decision | None:
    """The decision just made, which the address names; anybody else's is not this moderator's news."""
    try:
        decision = get_decision(reading, request.args.get("decided", ""))
    except NotFound:
        return None
    return decision if decision.actor_id == moderator_caller().moderator_id else None


def _queue_address(decision: Decision, item_id: str | None) -> str:
    anchor = f"card-{item_id}" if item_id else None
    return url_for(".show_queue", **kept(), decided=decision.id, _anchor=anchor)  # type: ignore[arg-type]


def _ticked() -> list[tuple[str, int]]:
    found = [value.rpartition(":") for value in request.form.getlist("item")]
    if not found:
        raise Problem("invalid", "No comment was chosen. Tick those you mean first.")
    if len(found) > MOST_AT_ONCE:
        raise Problem("invalid", f"At most {MOST_AT_ONCE} at once.")
    return [(item_id, int(version) if version.isdecimal() else -1) for item_id, _, version in found]


def _ruling() -> Ruling:
    """The form's ruling, checked by the API's own schema; raises a Problem."""
    sent: dict[str, Any] = {name: request.form[name] for name in ("action", "reason") if name in request.form}
    said = {name: request.form.get(f"label-{name}") for name in CATEGORIES}
    sent["labels"] = {name: value == "yes" for name, value in said.items() if value in {"yes", "no"}}
    data = load(RulingSchema(), sent)
    if data["action"] == Action.APPROVE:
        return Ruling(Action.APPROVE, labels=data["labels"])
    if data.get("reason") not in words.REJECT_REASONS:
        raise Problem("invalid", "Choose one of the reasons to reject.")
    return Ruling(Action.REJECT, data["reason"], data["labels"])


def _conflict(error: ServiceError, *, item_id: str | None = None, decision_id: str | None = None) -> Response:
    """The queue as it is now, and what came in between."""
    with service().database.read() as reading:
        latest = _latest_decision(reading, item_id, decision_id)
    told = words.refusal(error, latest, now())
    return make_response(queue_page(told), PROBLEMS[slug_of(error)][0])


def _latest_decision(reading: Session, item_id: str | None, decision_id: str | None) -> Decision | None:
    if item_id is not None:
        comment_id = get_entry(reading, item_id).comment.id
    else:
        comment_id = get_decision(reading, decision_id or "").comment_id
    return get_comment(reading, comment_id).decision
