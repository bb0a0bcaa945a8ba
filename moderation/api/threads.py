"""Threads: the approved comments of a page, and what a site says about it."""

import hashlib
from typing import Any

from flask import Response
from werkzeug.routing import PathConverter

from moderation.api.access import Who, now, requires, site_caller
from moderation.api.bodies import ApiBlueprint
from moderation.api.comments import tagged
from moderation.api.service import service
from moderation.models import Comment, Thread
from moderation.schemas.comments import PageQuerySchema, PublishedPageSchema, ThreadChangeSchema, ThreadSchema
from moderation.services.published import list_approved, put_thread
from moderation.signing import make_cursor, read_cursor

bp = ApiBlueprint("threads", __name__, url_prefix="/api/v1/threads", description="Pages with comments")


class ThreadKey(PathConverter):
    """A thread's id in an address: sites like to use a page's path, so it may begin and end with a slash."""

    regex = ".+?"
    part_isolating = False


@bp.get("/<thread:thread_key>/comments")
@requires(Who.SITE)
@bp.doc(summary="The approved comments of a thread, oldest first", security=[{"key": []}, {"siteKey": []}])
@bp.arguments(PageQuerySchema, location="query")
@bp.response(200, PublishedPageSchema)
def list_comments(query: dict[str, Any], thread_key: str) -> Response:
    """A page of approved comments; a thread nobody commented on has none."""
    site_id, secret = site_caller().site_id, service().settings.secret_key
    listing = f"thread:{site_id}:{thread_key}"
    after = read_cursor(query["cursor"], listing, secret)[0] if "cursor" in query else None
    limit = query["limit"]
    with service().database.read() as session:
        found = list_approved(session, site_id, thread_key, after=after, limit=limit + 1)
    page = found[:limit]
    cursor = make_cursor([page[-1][0].id], listing, secret) if len(found) > limit else None
    body = {"items": [_published(comment, text) for comment, text in page], "next_cursor": cursor}
    # Every version counts: while one comment goes and another comes, length and last one stay the same.
    shown = [(comment.id, comment.version) for comment, _ in found]
    return tagged(PublishedPageSchema(), body, hashlib.sha256(repr(shown).encode()).hexdigest()[:32])


@bp.put("/<thread:thread_key>")
@requires(Who.SITE_SECRET)
@bp.doc(summary="Describe, close or open a thread")
@bp.arguments(ThreadChangeSchema)
@bp.response(200, ThreadSchema)
def change_thread(data: dict[str, Any], thread_key: str) -> Thread:
    """What is left out stays; comments on a closed thread are rejected."""
    with service().database.write() as session:
        return put_thread(
            session,
            site_caller().site_id,
            thread_key,
            url=data.get("url"),
            title=data.get("title"),
            closed=data.get("closed"),
            now=now(),
        )


def _published(comment: Comment, body: str) -> dict[str, Any]:
    author = {"name": comment.author.get("name"), "url": comment.author.get("url")}
    return {
        "id": comment.id,
        "parent_id": comment.parent_id,
        "author": author,
        "body": body,
        "created_at": comment.created_at,
    }
