"""Labels as JSON Lines, out and in."""

import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

from flask import Response, request, stream_with_context

from moderation.api.access import Who, now, requires
from moderation.api.bodies import ApiBlueprint
from moderation.api.problems import Problem
from moderation.api.service import service
from moderation.label_lines import take_lines, to_line
from moderation.schemas.learning import ImportedSchema
from moderation.services.labels import labelled_comments

bp = ApiBlueprint("labels", __name__, url_prefix="/api/v1", description="What models learn from")

JSON_LINES = "application/jsonl"
TAKEN_TYPES = {JSON_LINES, "application/x-ndjson", "application/json-lines", "text/plain"}
IMPORT_BYTES = 64 * 1024 * 1024
SHOWN_PROBLEMS = 100
_LINES = {"description": "A labelled text a line", "content": {JSON_LINES: {}}}


@bp.get("/labels.jsonl")
@requires(Who.MAINTAINER)
@bp.doc(summary="Every label as JSON Lines", responses={200: _LINES})
def export_labels() -> Response:
    """One labelled text a line, in the form the import reads."""
    return Response(stream_with_context(_lines()), mimetype=JSON_LINES)


@bp.post("/labels")
@requires(Who.MAINTAINER)
@bp.doc(summary="Import labels", requestBody={"required": True, "content": {JSON_LINES: {}}})
@bp.response(200, ImportedSchema)
def import_labels() -> dict[str, Any]:
    """Take JSON Lines of comments or texts with labels; a bad line is told and the rest go on."""
    if request.mimetype not in TAKEN_TYPES:
        raise Problem("wrong-content-type", f"send {JSON_LINES}")
    request.max_content_length = IMPORT_BYTES
    with tempfile.TemporaryFile() as lines:
        # Received first: a slow sender must not keep everybody else from writing.
        shutil.copyfileobj(request.stream, lines)
        lines.seek(0)
        result = take_lines(service().database, lines, now())
    problems = [{"line": number, "detail": detail} for number, detail in result.problems]
    return {"taken": result.taken, "refused": len(problems), "problems": problems[:SHOWN_PROBLEMS]}


def _lines() -> Iterator[str]:
    with service().database.read() as session:
        # All read first: a slow reader must not keep a transaction open.
        examples = list(labelled_comments(session))
    yield from map(to_line, examples)
