"""Readers' complaints about published comments."""

from typing import Any

from flask import request

from moderation.api.access import Who, check_origin, now, requires, site_caller
from moderation.api.bodies import ApiBlueprint
from moderation.api.limits import TOO_MANY, charge_submission
from moderation.api.service import service
from moderation.models import KeyKind
from moderation.schemas.reports import NewReportSchema, ReportAnswerSchema
from moderation.services.access import key_digest
from moderation.services.reports import NewReport, report

bp = ApiBlueprint("reports", __name__, url_prefix="/api/v1/comments", description="Readers' reports")


@bp.post("/<string:comment_id>/reports")
@requires(Who.SITE)
@bp.doc(summary="Report a comment", security=[{"key": []}, {"siteKey": []}])
@bp.arguments(NewReportSchema)
@bp.response(202, ReportAnswerSchema)
@bp.alt_response(429, **TOO_MANY)
def report_comment(data: dict[str, Any], comment_id: str) -> dict[str, str]:
    """Keep a reader's complaint; with enough of them a person looks. The comment stays until they decide."""
    caller = site_caller()
    check_origin(caller)
    charge_submission(caller)
    named = data.get("reporter") if caller.kind is KeyKind.SITE_SECRET else None
    # Kept as a digest: it tells readers apart and nothing else.
    reporter = key_digest(f"reporter:{named or request.remote_addr}", service().settings.secret_key)
    new = NewReport(reporter, data["reason"], data.get("detail"))
    with service().database.write() as session:
        found = report(session, caller.site_id, comment_id, new, now())
        return {"id": found.id, "status": found.outcome or "received"}
