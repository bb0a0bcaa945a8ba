"""Cross-origin requests (Fetch standard): a blog's page may call from the origins its site allows."""

from flask import Flask, Response, request

from moderation.api.service import service
from moderation.services.access import origin_is_known

PATHS = ("/api/v1/comments", "/api/v1/threads")
HEADERS = "Authorization, Content-Type, Idempotency-Key, If-None-Match, Prefer, X-Site-Key"


def allow_sites(app: Flask) -> None:
    """Answer preflights and mark answers for known origins; keys are checked where they always are."""
    app.after_request(_mark)


def _mark(response: Response) -> Response:
    origin = request.headers.get("Origin")
    if origin is None or not request.path.startswith(PATHS):
        return response
    response.headers.add("Vary", "Origin")
    with service().database.read() as session:
        known = origin_is_known(session, origin)
    if known:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = "ETag, Idempotent-Replayed, Location"
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = "DELETE, GET, POST, PUT"
            response.headers["Access-Control-Allow-Headers"] = HEADERS
            response.headers["Access-Control-Max-Age"] = "600"
    return response
