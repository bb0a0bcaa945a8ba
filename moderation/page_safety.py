"""Headers that close what a page of readers' texts never needs."""

from flask import Response

# Nothing inline and nothing from elsewhere: even text that slipped through as markup could not run.
POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"


def protect(response: Response) -> Response:
    """Add the headers; the address may hold a receipt, so it is told to no other site."""
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "private, no-cache"
    return response
