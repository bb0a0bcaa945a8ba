"""The console's pages: the queue, one item, and the two forms that change something."""

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, session, url_for
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as Redirect

from moderation.api.access import Who, moderator_caller, now, requires
from moderation.api.bodies import load
from moderation.api.limits import charge_guess
from moderation.api.problems import PROBLEMS, Problem, slug_of
from moderation.api.service import service
from moderation.api.views import detail_view, item_view
from moderation.console import words
from moderation.console.sign_in import (
    check_form_token,
    configure_cookie,
    form_token,
    own_page,
    sign_in,
    sign_in_page,
    signed_in,
)
from moderation.database import Unavailable
from moderation.domain.policy import CATEGORIES
from moderation.domain.status import Action
from moderation.models import Decision
from moderation.page_safety import protect
from moderation.schemas.queue import FiltersSchema, RulingSchema
from moderation.services.errors import (
    ClaimedByOther,
    NotAllowed,
    NotFound,
    NotReversible,
    ServiceError,
    StaleItem,
)
from moderation.services.moderate import Ruling, decide_item, get_decision, reverse
from moderation.services.published import get_comment
from moderation.services.queue import QueueEntry, QueueFilters, get_entry, list_queue
from moderation.services.statistics import statistics
from moderation.signing import BadCursor, make_cursor, read_cursor

PAGE = 20
FILTERS = ("reason", "category", "q")
# What the moderator can do nothing about, but should be told with who and when.
CONFLICTS = (StaleItem, ClaimedByOther, NotReversible, NotAllowed)
bp = Blueprint("console", __name__, url_prefix="/console")
bp.record_once(configure_cookie)
bp.before_request(check_form_token)


@bp.route("/sign-in", methods=["GET", "POST"])
@requires(Who.EVERYBODY)
def show_sign_in() -> Response | Redirect:
    """Ask for a key; the right one leads to the page that was wanted."""
    wanted = request.form.get("wanted", "")
    if request.method == "GET":
        return sign_in_page(200, wanted)
    charge_guess()
    if not sign_in(request.form.get("key", "").strip()):
        return sign_in_page(401, wanted, wrong_key=True)
    return redirect(own_page(wanted), 303)


@bp.post("/sign-out")
@signed_in
def sign_out() -> Redirect:
    """End the session in this browser."""
    session.clear()
    return redirect(url_for(".show_sign_in"), 303)


@bp.get("")
@bp.get("/")
@signed_in
def show_queue() -> Response:
    """What needs a person, the most urgent first."""
    return make_response(_queue_page())


@bp.get("/items/<string:item_id>")
@signed_in
def show_item(item_id: str) -> str:
    """One item with everything around it."""
    with service().database.read() as reading:
        item = detail_view(reading, get_entry(reading, item_id))
        parts = words.marked(item["comment"]["body"], item["explanation"])
        return render_template("console/item.html", item=item, parts=parts)


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


@bp.after_request
def close_page(response: Response) -> Response:
    """Close what a page of other people's texts never needs, and let no cache keep one."""
    protect(response)
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.context_processor
def vocabulary() -> dict[str, Any]:
    """What every template may use."""
    return {
        "words": words,
        "now": now(),
        "form_token": form_token,
        "kept": _kept(),
        "reject_reasons": words.REJECT_REASONS,
    }


@bp.errorhandler(Problem)
def show_problem(problem: Problem) -> Response:
    """A request that cannot be used, told in a page."""
    status, title = PROBLEMS[problem.slug]
    response = _problem_page(status, title, problem.detail or "")
    response.headers.update(problem.headers)
    return response


@bp.errorhandler(NotFound)
def show_missing(_error: NotFound) -> Response:
    """An old or mistyped address."""
    return _problem_page(404, "There is no such page", "It may have been withdrawn by its author meanwhile.")


@bp.errorhandler(HTTPException)
def show_http_problem(error: HTTPException) -> Response:
    """What Flask refuses by itself, and forms without their token."""
    return _problem_page(error.code or 500, error.name, error.description or "")


@bp.errorhandler(Unavailable)
def show_outage(_error: Exception) -> Response:
    """The database is away; a decision may be sent again by reloading."""
    return _problem_page(503, "The service cannot answer now", "Please try again in a moment.")


def _queue_page(refused: str = "") -> str:
    filters, at = QueueFilters(**load(FiltersSchema(only=FILTERS), _chosen())), now()
    with service().database.read() as reading:
        found = list_queue(reading, filters, at, after=_after(filters), limit=PAGE + 1)
        return render_template(
            "console/queue.html",
            items=[item_view(entry) for entry in found[:PAGE]],
            next_cursor=_cursor(found[PAGE - 1], filters) if len(found) > PAGE else None,
            counts=statistics(reading, at)["queue"],
            categories=CATEGORIES,
            chosen=_chosen(),
            decision=_own_decision(reading),
            refused=refused,
        )


def _chosen() -> dict[str, str]:
    """The filters of the address; an empty field of the form is none."""
    return {name: request.args[name] for name in FILTERS if request.args.get(name, "").strip()}


def _kept() -> dict[str, str]:
    """What every link and form hands on, so that a decision returns to the same part of the queue."""
    cursor = request.args.get("cursor")
    return _chosen() | ({"cursor": cursor} if cursor else {})


def _cursor(last: QueueEntry, filters: QueueFilters) -> str:
    return make_cursor([last.item.due_at, last.item.id], _listing(filters), service().settings.secret_key)


def _after(filters: QueueFilters) -> tuple[datetime, str] | None:
    cursor = request.args.get("cursor")
    if not cursor:
        return None
    try:
        due_at, item_id = read_cursor(cursor, _listing(filters), service().settings.secret_key)
    except BadCursor:
        # An old or broken link still leads to the queue.
        return None
    return datetime.fromisoformat(due_at), item_id


def _listing(filters: QueueFilters) -> str:
    return f"console:{filters}"


def _own_decision(reading: Session) -> Decision | None:
    """The decision just made, which the address names; anybody else's is not this moderator's news."""
    try:
        decision = get_decision(reading, request.args.get("decided", ""))
    except NotFound:
        return None
    return decision if decision.actor_id == moderator_caller().moderator_id else None


def _queue_address(decision: Decision, item_id: str | None) -> str:
    anchor = f"card-{item_id}" if item_id else None
    return url_for(".show_queue", **_kept(), decided=decision.id, _anchor=anchor)  # type: ignore[arg-type]


def _ruling() -> Ruling:
    """The form's ruling, checked by the API's own schema; raises a Problem."""
    sent = {name: request.form[name] for name in ("action", "reason") if name in request.form}
    data = load(RulingSchema(), sent)
    if data["action"] == Action.APPROVE:
        return Ruling(Action.APPROVE)
    if data.get("reason") not in words.REJECT_REASONS:
        raise Problem("invalid", "Choose one of the reasons to reject.")
    return Ruling(Action.REJECT, data["reason"])


def _conflict(error: ServiceError, *, item_id: str | None = None, decision_id: str | None = None) -> Response:
    """The queue as it is now, and what came in between."""
    with service().database.read() as reading:
        latest = _latest_decision(reading, item_id, decision_id)
    told = words.refusal(error, latest, now())
    return make_response(_queue_page(told), PROBLEMS[slug_of(error)][0])


def _latest_decision(reading: Session, item_id: str | None, decision_id: str | None) -> Decision | None:
    if item_id is not None:
        comment_id = get_entry(reading, item_id).comment.id
    else:
        comment_id = get_decision(reading, decision_id or "").comment_id
    return get_comment(reading, comment_id).decision


def _problem_page(status: int, title: str, detail: str) -> Response:
    return make_response(render_template("console/problem.html", title=title, detail=detail), status)
