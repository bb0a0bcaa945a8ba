"""The demo blog at /: one post with a comment form, to try the service as a reader would."""

from flask import Blueprint, render_template, request

from moderation import demo
from moderation.api.access import Who, requires
from moderation.api.service import service
from moderation.services.errors import NotFound
from moderation.services.published import CommentView, get_comment, list_approved
from moderation.signing import receipt_fits

THREAD = "quiet-evening"
SHOWN = 100

bp = Blueprint("blog", __name__)


@bp.get("/")
@requires(Who.EVERYBODY)
def post() -> str:
    """The post, its approved comments, and the fate of the reader's own."""
    keys = demo.read(service().settings)
    if keys is None:
        return render_template("blog_empty.html")
    with service().database.read() as session:
        comments = list_approved(session, keys.site_id, THREAD, limit=SHOWN)
    return render_template(
        "blog.html", comments=comments, own=_own_comment(), public_key=keys.public_key, thread=THREAD
    )


def _own_comment() -> CommentView | None:
    """The comment whose receipt the address carries, as after a form without JavaScript."""
    comment_id, receipt = request.args.get("comment"), request.args.get("receipt")
    if not comment_id or not receipt_fits(receipt or "", comment_id, service().settings.secret_key):
        return None
    try:
        with service().database.read() as session:
            return get_comment(session, comment_id)
    except NotFound:
        return None
