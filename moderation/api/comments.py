"""Comments: hand in, look up, edit, withdraw."""

import json
import logging
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from flask import Response, jsonify, request
from marshmallow import Schema
from werkzeug.datastructures import Headers
from werkzeug.exceptions import RequestEntityTooLarge

from moderation.api.access import Who, check_origin, find_caller, now, requires, site_caller
from moderation.api.bodies import ApiBlueprint, idempotency, load, preferred_wait, read_json
from moderation.api.forms import FORM, FORM_BYTES, back_to_thread, form_to_comment, problem_page
from moderation.api.limits import TOO_MANY, charge_submission
from moderation.api.problems import Problem, overloaded, problem_of
from moderation.api.service import service
from moderation.api.waiting import wait_for_decision
from moderation.domain.status import Status
from moderation.intake import Overloaded
from moderation.models import KeyKind
from moderation.schemas.comments import (
    AcceptedSchema,
    CommentFormSchema,
    CommentSchema,
    EditSchema,
    NewCommentSchema,
)
from moderation.services.accept import Accepted, Entry, NewComment
from moderation.services.access import ModeratorCaller, SiteCaller
from moderation.services.change import edit, withdraw
from moderation.services.errors import ServiceError
from moderation.services.published import CommentView, get_comment
from moderation.signing import receipt_fits, receipt_for

bp = ApiBlueprint("comments", __name__, url_prefix="/api/v1/comments", description="Comments of a blog")

log = logging.getLogger(__name__)

# Made once: making a schema costs as much as using it.
NEW_COMMENT = NewCommentSchema()
# The same for all, so that it is written out once for those stored together.
_HONEYPOT, _NOTHING_ELSE = {"honeypot_filled": True}, dict[str, Any]()
# A key as bearer, a public key in its own header, or (a form field, a receipt) none of both.
_UNQUOTED = "!$&'()*+,/:;=@"
_ANY_KEY: list[dict[str, list[str]]] = [{"key": []}, {"siteKey": []}, {}]
_BOTH_FORMS = {
    "security": _ANY_KEY,
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": NewCommentSchema}, FORM: {"schema": CommentFormSchema}},
    },
    "parameters": [
        {"in": "header", "name": "Idempotency-Key", "schema": {"type": "string", "maxLength": 255}},
        {"in": "header", "name": "Prefer", "schema": {"type": "string"}, "example": "wait=5"},
    ],
}


@bp.post("")
@requires(Who.EVERYBODY)  # The key may be in a form field, so the view looks for it.
@bp.doc(summary="Hand in a comment", **_BOTH_FORMS)
@bp.response(202, AcceptedSchema)
@bp.alt_response(200, schema=AcceptedSchema, description="Decided within Prefer: wait")
@bp.alt_response(303, description="To a plain HTML form: back to the thread")
@bp.alt_response(429, **TOO_MANY)
def create_comment() -> Response:
    """Store the comment and wake a worker; JSON, or the fields of a plain HTML form."""
    if request.mimetype == FORM:
        return _create_from_form()
    caller = _site_that_may_submit(None)
    data = load(NEW_COMMENT, read_json(request))
    accepted = _accept(caller, data)
    return _answer(accepted, data["thread"]["id"])


@bp.get("/<string:comment_id>")
@requires(Who.EVERYBODY)  # A receipt is as good as a key.
@bp.doc(
    summary="What became of a comment",
    security=_ANY_KEY,
    parameters=[{"in": "query", "name": "receipt", "schema": {"type": "string"}}],
)
@bp.response(200, CommentSchema)
def read_comment(comment_id: str) -> Response:
    """Status, reason and latest text; with a key of the site, a moderator's key or the receipt."""
    site_id = _site_that_may_read(comment_id)
    with service().database.read() as session:
        view = get_comment(session, comment_id, site_id)
    return tagged(CommentSchema(), view, f"{view.comment.version}-{view.comment.status}")


@bp.put("/<string:comment_id>")
@requires(Who.SITE_SECRET)
@bp.doc(summary="Give a comment a new text")
@bp.arguments(EditSchema)
@bp.response(202, CommentSchema)
@bp.alt_response(429, **TOO_MANY)
def edit_comment(data: dict[str, Any], comment_id: str) -> CommentView:
    """The new text is scored and judged anew; the comment is pending until then."""
    caller = site_caller()
    charge_submission(caller)
    with service().database.write() as session:
        edit(session, caller.site_id, comment_id, data["body"], now())
    service().jobs.wake_scoring()
    with service().database.read() as session:
        return get_comment(session, comment_id, caller.site_id)


@bp.delete("/<string:comment_id>")
@requires(Who.SITE_SECRET)
@bp.doc(summary="Withdraw a comment")
@bp.response(204)
def withdraw_comment(comment_id: str) -> None:
    """Remove a comment for good."""
    with service().database.write() as session:
        withdraw(session, site_caller().site_id, comment_id, now())


def tagged(schema: Schema, value: Any, tag: str) -> Response:
    """A dumped value with an ETag; 304 when the caller has it already (RFC 9110)."""
    response = jsonify(schema.dump(value))
    response.set_etag(tag)
    response.headers["Cache-Control"] = "no-cache"
    response.make_conditional(request)
    return response


def _create_from_form() -> Response:
    """A browser without JavaScript: problems are told on a page, success leads back to the thread."""
    request.max_content_length = FORM_BYTES
    try:
        caller = _site_that_may_submit(request.form.get("site_key"))
        accepted = _accept(caller, load(NEW_COMMENT, form_to_comment(request.form)))
        with service().database.read() as session:
            thread_url = get_comment(session, accepted.comment_id).thread.url
        return back_to_thread(caller, thread_url, accepted.comment_id)
    except (Problem, ServiceError, Overloaded, RequestEntityTooLarge) as error:
        if "text/html" not in request.headers.get("Accept", ""):
            raise
        return problem_page(_problem_of(error))


def _problem_of(error: Exception) -> Problem:
    if isinstance(error, RequestEntityTooLarge):
        return Problem("too-large")
    if isinstance(error, Overloaded):
        return overloaded()
    return error if isinstance(error, Problem) else problem_of(error)


def _accept(caller: SiteCaller, data: dict[str, Any]) -> Accepted:
    idempotent = idempotency(data)
    new = new_comment(data)
    if caller.kind is KeyKind.SITE_PUBLIC:
        # From a browser: what it says of itself is worth less than what the connection says.
        seen = {"ip": request.remote_addr, "user_agent": request.headers.get("User-Agent")}
        new = replace(new, author={**new.author, **seen, "id": None})
    accepted = service().intake.accept(Entry(caller.site_id, new, now(), idempotent))
    log.debug("accepted", extra={"comment_id": accepted.comment_id})
    return accepted


def new_comment(data: dict[str, Any]) -> NewComment:
    """What the services make of a comment that passed the schema."""
    author = {name: str(value) for name, value in data["author"].items() if value is not None}
    return NewComment(
        thread_key=data["thread"]["id"],
        thread_url=data["thread"].get("url"),
        thread_title=data["thread"].get("title"),
        author=author,
        body=data["body"],
        parent_id=data.get("parent_id"),
        external_id=data.get("external_id"),
        context=_HONEYPOT if data.get("honeypot") else _NOTHING_ELSE,
    )


def _answer(accepted: Accepted, thread_key: str) -> Response:
    comment_id, waited = accepted.comment_id, preferred_wait()
    status, reason = wait_for_decision(comment_id, waited) if waited else (Status.PENDING, None)
    # Below this very address; asking the router takes as long as checking the comment.
    root = quote(request.root_path)
    links = {"self": f"{root}{request.path}/{comment_id}"}
    links["thread"] = f"{root}/api/v1/threads/{quote(thread_key, safe=_UNQUOTED)}/comments"
    receipt = receipt_for(comment_id, service().settings.secret_key)
    body = {"id": comment_id, "status": status, "reason": reason, "receipt": receipt, "links": links}
    response = answer_with(body, 202 if status is Status.PENDING else 200)
    response.headers["Location"] = links["self"]
    if waited:
        response.headers["Preference-Applied"] = f"wait={waited}"
    if accepted.replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return response


class _Answer(Response):
    """Goes out as it is: werkzeug would look through its headers and mend what needs no mending."""

    def get_wsgi_headers(self, environ: Any) -> Headers:
        return self.headers


def answer_with(body: dict[str, Any], status: int = 200) -> Response:
    """JSON of an answer put together here: dumping it by its schema would change nothing and take time."""
    return _Answer(json.dumps(body) + "\n", status, content_type="application/json")


def _site_that_may_submit(key: str | None) -> SiteCaller:
    caller = find_caller(key)
    if not isinstance(caller, SiteCaller) or caller.kind is KeyKind.SITE_AKISMET:
        raise Problem("wrong-role", "needs the key of a site")
    check_origin(caller)
    charge_submission(caller)
    return caller


def _site_that_may_read(comment_id: str) -> str | None:
    receipt = request.args.get("receipt")
    if receipt is not None:
        if not receipt_fits(receipt, comment_id, service().settings.secret_key):
            # The same answer as for a comment that does not exist: a wrong receipt proves nothing.
            raise Problem("not-found", "no such comment")
        return None
    caller = find_caller()
    if isinstance(caller, ModeratorCaller):
        return None
    if caller.kind is not KeyKind.SITE_SECRET:
        raise Problem("wrong-role", "needs the site's secret key or the receipt")
    return caller.site_id
