"""Plain HTML forms, from browsers without JavaScript: their fields, the way back, and a page for problems."""

import re
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Response, make_response, redirect, render_template, request
from werkzeug.datastructures import MultiDict

from moderation.api.problems import PROBLEMS, Problem
from moderation.api.service import service
from moderation.page_safety import protect
from moderation.services.access import SiteCaller
from moderation.signing import receipt_for

FORM = "application/x-www-form-urlencoded"
# A form writes each byte beyond ASCII as three, so the longest comment needs more room than as JSON.
FORM_BYTES = 256 * 1024
# thread_id, thread.id and thread[id] all mean the same member.
_NESTED = re.compile(r"^(thread|author)(?:_|\.|\[)([a-z_]+)\]?$")
_NESTED_MEMBERS = {"thread": {"id", "url", "title"}, "author": {"name", "email", "url"}}
_MEMBERS = {"body", "parent_id", "external_id", "honeypot"}
_OURS = {"comment", "receipt", "reply_to"}


def form_to_comment(form: MultiDict[str, str]) -> dict[str, Any]:
    """A form's fields as the JSON of a new comment; empty and unknown fields are left out."""
    data: dict[str, Any] = {"thread": {}, "author": {}}
    for name, value in form.items():
        nested = _NESTED.match(name)
        if nested and value and nested[2] in _NESTED_MEMBERS[nested[1]]:
            data[nested[1]][nested[2]] = value
        elif name in _MEMBERS and value:
            # Browsers send each line end as two characters; the reader typed and counted one.
            data[name] = value.replace("\r\n", "\n")
    return data


def back_to_thread(caller: SiteCaller, thread_url: str | None, comment_id: str) -> Response:
    """Lead the browser back to the page it came from, with the receipt in the address."""
    origins = {*caller.allowed_origins, service().settings.public_url}
    # Only to a page of the site: an address from the form could lead anywhere.
    candidates = (request.form.get("thread_url") or thread_url, request.headers.get("Referer"), "/")
    parts = urlsplit(next(c for c in candidates if c and _is_of(c, origins)))
    receipt = receipt_for(comment_id, service().settings.secret_key)
    # The page's own query stays: it may be what tells one page of the site from another.
    kept = [pair for pair in parts.query.split("&") if pair and pair.split("=")[0] not in _OURS]
    query = "&".join([*kept, urlencode({"comment": comment_id, "receipt": receipt})])
    return make_response(redirect(parts._replace(query=query, fragment="comments").geturl(), 303))


def problem_page(problem: Problem) -> Response:
    """A page that says what was wrong and leads back."""
    status, title = PROBLEMS[problem.slug]
    back = request.headers.get("Referer", "/")
    # What the reader typed is given back; of a form that was too large nothing was read.
    text = "" if status == 413 else request.form.get("body", "")
    page = render_template("problem.html", title=title, detail=problem.detail, back=back, text=text)
    return protect(make_response(page, status, problem.headers))


def _is_of(url: str, origins: set[str]) -> bool:
    parts = urlsplit(url)
    if not parts.scheme and not parts.netloc:
        return url.startswith("/") and not url.startswith(("//", "/\\"))
    return f"{parts.scheme}://{parts.netloc}" in origins
