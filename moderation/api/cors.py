"""Cross-origin requests (Fetch standard): a blog's page may call from the origins its site allows."""

from flask import Flask, Response, request

from moderation.api.service import service
from moderation.database import Unavailable
from moderation.services.access import origin_is_known

PATHS = ("/api/v1/comments", "/api/v1/threads")
HEADERS = "Authorization, Content-Type, Idempotency-Key, If-None-Match, Prefer, X-Site-Key"

EXPOSED = "ETag, Idempotent-Replayed, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id"


def allow_sites(app: Flask) -> None:
    """Answer preflights and mark answers for known origins; keys are checked where they always are."""
    app.after_request(_mark)


def _mark(response: Response) -> Response:
    environ = request.environ
    if not environ["PATH_INFO"].startswith(PATHS):
        return response
    # Also without an Origin, or a cache would give that answer to a page that needs the marks.
    response.headers.add("Vary", "Origin")
    origin = environ.get("HTTP_ORIGIN")
    if origin is not None and _is_known(origin):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = EXPOSED
        if environ["REQUEST_METHOD"] == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = "DELETE, GET, POST, PUT"
            response.headers["Access-Control-Allow-Headers"] = HEADERS
            response.headers["Access-Control-Max-Age"] = "600"
    return response


def _is_known(origin: str) -> bool:
    known = service().origins.get(origin)
    if known is not None:
        return known
    try:
        with service().database.read() as session:
            known = origin_is_known(session, origin)
        service().origins.put(origin, known)
        return known
    except Unavailable:
        # The answer is a problem already; it must not become another one on the way out.
        return False
