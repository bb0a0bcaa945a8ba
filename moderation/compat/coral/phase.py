"""The endpoint: a signed comment in, status and flags out, 204 when there is nothing to say.

Coral goes on without a phase that fails or takes too long, and the comment is published. So whatever goes
wrong here is answered with a status that keeps the comment back.
"""

import json
import logging
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from moderation import logs
from moderation.api.access import Who, requires
from moderation.api.service import service
from moderation.compat.coral.signature import signed_with
from moderation.compat.coral.text import words_of
from moderation.database import Unavailable
from moderation.domain.policy import UNSCORED, Verdict
from moderation.domain.spam_answer import TOXIC
from moderation.domain.status import Action
from moderation.judging import score_alone
from moderation.schemas.fields import BODY_LENGTH
from moderation.services.accept import NewComment
from moderation.services.at_once import judge_unstored
from moderation.services.shared_secrets import CORAL, secret_of

log = logging.getLogger(__name__)
bp = Blueprint("coral", __name__)

WITHHELD, REJECTED = "SYSTEM_WITHHELD", "REJECTED"
# Other reasons, such as a blocked word, are no such suspicion: the status says enough.
SPAM_REASONS = {"spam", "honeypot", "links", "repeat"}
SPAM_FLAG, TOXIC_FLAG = "COMMENT_DETECTED_SPAM", "COMMENT_DETECTED_TOXIC"


@bp.post("/coral/moderation-phase/<string:site_id>")
@requires(Who.EVERYBODY)  # The signature is the key.
def judge_for_coral(site_id: str) -> Response:
    """The policy's opinion of a comment, in Coral's words."""
    try:
        return _answer(site_id, request.get_data())
    except HTTPException as error:
        return _refuse("too large" if error.code == 413 else "cannot be read", error.code or 400)
    except Unavailable as error:
        log.error("the database cannot be used (%s)", error, extra={"kind": "database"})  # noqa: TRY400
    except Exception as error:
        log.error("%s in a door", type(error).__name__, extra=logs.told(error))  # noqa: TRY400 - without its text
    return _say({"status": WITHHELD})


def _answer(site_id: str, body: bytes) -> Response:
    with service().database.read() as session:
        secret = secret_of(session, site_id, CORAL)
    header = request.headers.get("X-Coral-Signature", "")
    # Without a secret too, so that the time does not tell which sites there are.
    if not signed_with(secret or "", body, header) or secret is None:
        return _refuse("the signature does not fit", 401)
    html = _html_of(body)
    if html is None:
        return _refuse("no comment in it", 400)
    verdict = _judge(site_id, words_of(html)[:BODY_LENGTH])
    said = opinion(verdict)
    return Response(status=204) if said is None else _say(said)


def opinion(verdict: Verdict) -> dict[str, Any] | None:
    """A verdict in Coral's words; None when there is nothing against the comment."""
    if verdict.outcome is Action.APPROVE:
        return None
    status = REJECTED if verdict.outcome is Action.REJECT else WITHHELD
    if verdict.reason == UNSCORED:
        return {"status": status}
    reasons = {finding.reason for finding in verdict.findings}
    suspicions = ((SPAM_FLAG, reasons & SPAM_REASONS), (TOXIC_FLAG, reasons & {TOXIC}))
    actions = [{"actionType": "FLAG", "reason": flag} for flag, found in suspicions if found]
    return {"status": status, "actions": actions}


def _judge(site_id: str, words: str) -> Verdict:
    scored = score_alone(service().scorer, {"body": words, "author": {}, "thread": {"title": None}})
    new = NewComment(thread_key="", body=words, author={})
    with service().database.read() as session:
        return judge_unstored(session, site_id, new, scored).verdict


def _html_of(body: bytes) -> str | None:
    try:
        found = json.loads(body)["comment"]["body"]
    except (ValueError, RecursionError, LookupError, TypeError):
        return None
    # JSON may hold half a character, which no text here may.
    return found.encode("utf-8", "replace").decode() if isinstance(found, str) else None


def _say(said: dict[str, Any]) -> Response:
    return Response(json.dumps(said), content_type="application/json")


def _refuse(why: str, status: int) -> Response:
    return Response(why, status, content_type="text/plain; charset=utf-8")
