"""docs/api.md and docs/moderators.md say what the code does"""

import re
from pathlib import Path

import pytest
from flask import Flask

from moderation.api.bodies import LONGEST_WAIT
from moderation.api.comment_batch import BATCH_BYTES
from moderation.api.forms import FORM_BYTES
from moderation.api.labels import IMPORT_BYTES
from moderation.api.problems import PROBLEMS
from moderation.app import REQUEST_BYTES
from moderation.domain.policy import CATEGORIES
from moderation.domain.status import Action
from moderation.domain.teaching import labels_taught
from moderation.schemas import fields
from moderation.schemas.comments import MOST_COMMENTS
from moderation.schemas.queue import MOST_BATCH_ITEMS
from moderation.services.claims import LONGEST_CLAIM_SECONDS, MOST_CLAIMS
from tests.api.routes import api_routes
from tests.api.test_access import DESK, EVERYBODY, MAINTAINER, MAY_CALL, OWNER, SITE

DOCS = Path(__file__).parent.parent.parent / "docs"
API = (DOCS / "api.md").read_text(encoding="utf-8")
DESK_PAGE = (DOCS / "moderators.md").read_text(encoding="utf-8")

WHO = {
    "site": SITE,
    "site's secret key": OWNER,
    "site's secret key, moderator, receipt": OWNER | DESK,
    "moderator": DESK,
    "maintainer": MAINTAINER,
    "everybody": EVERYBODY,
}
LIMITS = {
    "request": REQUEST_BYTES,
    "plain form": FORM_BYTES,
    "batch of comments": BATCH_BYTES,
    "comments of a batch": MOST_COMMENTS,
    "import of labels": IMPORT_BYTES,
    "`body`": fields.BODY_LENGTH,
    "`author.name`": fields.NAME_LENGTH,
    "`author.email`": fields.EMAIL_LENGTH,
    "`url` of author or thread": fields.URL_LENGTH,
    "`thread.id`, `author.id`, `external_id`": fields.KEY_LENGTH,
    "`thread.title`": fields.TITLE_LENGTH,
    "`note`": fields.NOTE_LENGTH,
    "`limit` of a page": 100,
    "`count` of a claim": MOST_CLAIMS,
    "`seconds` of a claim": LONGEST_CLAIM_SECONDS,
    "items of a batch": MOST_BATCH_ITEMS,
    "`Prefer: wait`": LONGEST_WAIT,
}


def table(page: str, heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, without its head."""
    lines = page.split(f"## {heading}\n", 1)[1].split("\n## ")[0].splitlines()
    rows = [line for line in lines if line.startswith("|")][2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


def anonymous(method: str, path: str) -> tuple[str, str]:
    """A route with its parameters unnamed."""
    return method, re.sub(r"\{\w+\}", "{}", path)


def documented() -> dict[tuple[str, str], str]:
    """Every documented route and who may call it."""
    rows = [(call.strip("`").split(" "), who) for call, who, _ in table(API, "Routes")]
    return {anonymous(method, path): who for (method, path), who in rows}


def test_every_route_is_documented_and_no_other(app: Flask) -> None:
    assert set(documented()) == {anonymous(*route) for route in api_routes(app)}


def test_who_may_call_a_route_is_documented() -> None:
    told = {route: WHO[who] for route, who in documented().items()}
    assert told == {anonymous(*route): who for route, who in MAY_CALL.items()}


def test_every_problem_is_documented_with_its_status() -> None:
    told = {slug.strip("`"): int(status) for slug, status, _ in table(API, "Problems")}
    assert told == {slug: status for slug, (status, _) in PROBLEMS.items()}


def test_every_problem_occurs_somewhere_in_the_code() -> None:
    moderation = DOCS.parent / "moderation"
    source = "".join(path.read_text(encoding="utf-8") for path in sorted(moderation.rglob("*.py")))
    assert [slug for slug in PROBLEMS if source.count(f'"{slug}"') < 2] == []


def test_the_limits_are_those_of_the_code() -> None:
    told = {what: int(limit.split()[0]) for what, limit in table(API, "Limits")}
    assert told == LIMITS


def test_what_a_decision_teaches_is_documented() -> None:
    for action, reason, taught in table(DESK_PAGE, "What a decision teaches"):
        labels = dict(re.findall(r"`(\w+)` (yes|no)", taught))
        for one in re.findall(r"`(\w+)`", reason) or ["clean"]:
            expected = labels_taught(Action(action.strip("`")), one)
            told = {one if name == "it" else name: word == "yes" for name, word in labels.items()}
            assert told == expected, (action, one)


def test_every_category_is_named_for_moderators() -> None:
    assert [category for category in CATEGORIES if f"`{category}`" not in DESK_PAGE] == []


@pytest.mark.parametrize("page", [API, DESK_PAGE], ids=["api", "moderators"])
def test_the_calls_shown_are_routes(page: str, app: Flask) -> None:
    routes = {path for _, path in (anonymous(*route) for route in api_routes(app))}
    shown = re.findall(r"(?:\$GREENROOM|127\.0\.0\.1:8000)(/api/v1/[^\s\"'?]*)", page)
    assert shown
    assert [path for path in shown if re.sub(r"\$\w+", "{}", path) not in routes] == []
