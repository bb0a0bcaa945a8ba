"""What all pages of the console share: the blueprint, errors told in pages, what every template may use."""

from typing import Any

from flask import Blueprint, Response, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from moderation.api.access import now
from moderation.api.problems import PROBLEMS, Problem
from moderation.console import words
from moderation.console.navigation import pages_for
from moderation.console.sign_in import check_form_token, configure_cookie, form_token, shows_severe
from moderation.database import Unavailable
from moderation.page_safety import protect
from moderation.services.errors import NotFound

bp = Blueprint("console", __name__, url_prefix="/console")
bp.record_once(configure_cookie)
bp.before_request(check_form_token)

FILTERS = ("reason", "category", "q", "author", "site", "language", "reported", "escalated", "mine")


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
        "kept": kept(),
        "pages_for": pages_for,
        "shows_severe": shows_severe(),
        "reject_reasons": words.REJECT_REASONS,
    }


@bp.errorhandler(Problem)
def show_problem(problem: Problem) -> Response:
    """A request that cannot be used, told in a page."""
    status, title = PROBLEMS[problem.slug]
    response = problem_page(status, title, problem.detail or "")
    response.headers.update(problem.headers)
    return response


@bp.errorhandler(NotFound)
def show_missing(_error: NotFound) -> Response:
    """An old or mistyped address."""
    return problem_page(404, "There is no such page", "It may have been withdrawn by its author meanwhile.")


@bp.errorhandler(HTTPException)
def show_http_problem(error: HTTPException) -> Response:
    """What Flask refuses by itself, and forms without their token."""
    return problem_page(error.code or 500, error.name, error.description or "")


@bp.errorhandler(Unavailable)
def show_outage(_error: Exception) -> Response:
    """The database is away; a decision may be sent again by reloading."""
    return problem_page(503, "The service cannot answer now", "Please try again in a moment.")


def problem_page(status: int, title: str, detail: str) -> Response:
    """A page that says what is wrong."""
    return make_response(render_template("console/problem.html", title=title, detail=detail), status)


def chosen() -> dict[str, str]:
    """The filters of the address; an empty field of the form is none."""
    return {name: request.args[name] for name in (*FILTERS, "sort") if request.args.get(name, "").strip()}


def kept() -> dict[str, str]:
    """What every link and form hands on, so that a decision returns to the same part of the queue."""
    cursor = request.args.get("cursor")
    return chosen() | ({"cursor": cursor} if cursor else {})
