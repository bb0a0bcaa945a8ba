"""Many comments in one request, for imports and busy frontends: each has an answer of its own."""

from dataclasses import dataclass
from typing import Any

from flask import request, url_for

from moderation.api.access import Who, now, requires, site_caller
from moderation.api.bodies import ApiBlueprint, idempotency, load, read_json
from moderation.api.comments import NEW_COMMENT, answer_with, new_comment
from moderation.api.limits import TOO_MANY, charge_submission
from moderation.api.problems import Problem, problem_body, problem_of
from moderation.api.service import service
from moderation.schemas.comments import (
    MOST_COMMENTS,
    CommentBatchAnswerSchema,
    CommentBatchSchema,
    NewCommentSchema,
)
from moderation.services.accept import Accepted, Entry, Outcome
from moderation.services.errors import ServiceError
from moderation.signing import receipt_for

# A hundred comments of the usual length fit many times over, a hundred of the longest in ASCII just so.
BATCH_BYTES = 2 * 1024 * 1024

bp = ApiBlueprint("comment_batch", __name__, url_prefix="/api/v1/comments", description="Comments of a blog")
BATCH = CommentBatchSchema()
# For the description only: the comments are checked one by one, so that each is refused by itself.
_DESCRIBED = {
    "type": "object",
    "required": ["comments"],
    "properties": {
        "comments": {"type": "array", "minItems": 1, "maxItems": MOST_COMMENTS, "items": NewCommentSchema}
    },
}


@bp.post("/batch")
@requires(Who.SITE_SECRET)
@bp.doc(
    summary="Hand in up to a hundred comments",
    requestBody={"required": True, "content": {"application/json": {"schema": _DESCRIBED}}},
    parameters=[{"in": "header", "name": "Idempotency-Key", "schema": {"type": "string", "maxLength": 255}}],
)
@bp.response(200, CommentBatchAnswerSchema)
@bp.alt_response(429, **TOO_MANY)
def create_comments() -> Any:
    """Each comment is stored or refused by itself; what is told as 202 is on the disk."""
    request.max_content_length = BATCH_BYTES
    raw = load(BATCH, read_json(request))["comments"]
    charge_submission(site_caller(), cost=len(raw))
    key = idempotency(raw)
    at, site_id = now(), site_caller().site_id
    checked = [_checked(one) for one in raw]
    entries = [Entry(site_id, new_comment(one), at) for one in checked if isinstance(one, dict)]
    # Those refused by their form take no part, and always will: the key stands for this very request.
    outcomes = iter(service().intake.accept_batch(entries, key))
    settled = [next(outcomes) if isinstance(one, dict) else one for one in checked]
    links = _Links({})
    return answer_with(
        {
            "results": [
                _result(n, outcome, one["thread"]["id"] if isinstance(one, dict) else "", links)
                for n, (outcome, one) in enumerate(zip(settled, checked, strict=True))
            ]
        }
    )


def _checked(one: Any) -> dict[str, Any] | Problem:
    try:
        return load(NEW_COMMENT, one)
    except Problem as problem:
        return problem


@dataclass
class _Links:
    """Addresses, made once for what many comments share: making one takes longer than checking a comment."""

    threads: dict[str, str]
    comments: str = ""

    def of(self, comment_id: str, thread_key: str) -> dict[str, str]:
        if not self.comments:
            self.comments = url_for("comments.create_comment")
        if thread_key not in self.threads:
            self.threads[thread_key] = url_for("threads.list_comments", thread_key=thread_key)
        return {"self": f"{self.comments}/{comment_id}", "thread": self.threads[thread_key]}


def _result(index: int, outcome: Outcome | Problem, thread_key: str, links: _Links) -> dict[str, Any]:
    if isinstance(outcome, Accepted):
        return {
            "index": index,
            "status": 202,
            "id": outcome.comment_id,
            "receipt": receipt_for(outcome.comment_id, service().settings.secret_key),
            "links": links.of(outcome.comment_id, thread_key),
            "replayed": outcome.replayed,
        }
    problem = problem_of(outcome) if isinstance(outcome, ServiceError) else outcome
    body = problem_body(problem)
    return {"index": index, "status": body["status"], "problem": {**body, **problem.more}}
