"""The demo blog at /: one article with its comments and a form, to try the service as a reader would."""

from flask import Blueprint, render_template, request

from moderation import demo
from moderation.api.access import Who, requires
from moderation.api.service import service
from moderation.api.waiting import wait_for_decision
from moderation.blog.conversation import BLANK, Page, read_page
from moderation.blog.fate import FATES, Fate, fate_of
from moderation.domain.status import Status
from moderation.page_safety import protect
from moderation.schemas.fields import BODY_LENGTH
from moderation.services.errors import NotFound
from moderation.services.published import CommentView, get_comment
from moderation.signing import BadCursor, make_cursor, read_cursor, receipt_fits

THREAD, TITLE = "quiet-evening", "The hour when the lamps come on"
# A decision takes a fraction of a second; a reader without JavaScript would have to ask for it again.
LONGEST_WAIT = 2.0
bp = Blueprint("blog", __name__)
bp.after_request(protect)


@bp.get("/")
@requires(Who.EVERYBODY)
def show_thread() -> str:
    """The article, its approved comments, and the fate of the reader's own."""
    keys = demo.read(service().settings)
    if keys is None:
        return render_template("blog_empty.html")
    own = _own_comment(keys.site_id)
    page, answered = _read(keys.site_id)
    return render_template(
        "blog.html",
        page=page,
        own=own,
        fate=_fate(own),
        fates=FATES,
        answered=answered,
        blank=BLANK,
        public_key=keys.public_key,
        thread={"id": THREAD, "url": _address(), "title": TITLE},
        body_length=BODY_LENGTH,
    )


def _read(site_id: str) -> tuple[Page, CommentView | None]:
    """The page of comments asked for, and the comment to be answered if there is one."""
    with service().database.read() as session:
        page = read_page(session, site_id, THREAD, _after(site_id))
        answered = None
        try:
            found = get_comment(session, request.args.get("reply_to", ""), site_id)
            if found.thread.key == THREAD and found.comment.status == Status.APPROVED:
                answered = found
        except NotFound:
            pass
    return page.with_cursor(lambda last: make_cursor([last], _listing(site_id), _secret())), answered


def _after(site_id: str) -> str | None:
    cursor = request.args.get("cursor")
    try:
        return str(read_cursor(cursor, _listing(site_id), _secret())[0]) if cursor else None
    except BadCursor:
        # An old or broken link still leads to the article.
        return None


def _listing(site_id: str) -> str:
    return f"blog:{site_id}:{THREAD}"


def _secret() -> bytes:
    return service().settings.secret_key


def _own_comment(site_id: str) -> CommentView | None:
    """The comment whose receipt the address carries, as after a form without JavaScript."""
    comment_id, receipt = request.args.get("comment"), request.args.get("receipt")
    if not comment_id or not receipt_fits(receipt or "", comment_id, _secret()):
        return None
    try:
        wait_for_decision(comment_id, LONGEST_WAIT)
        with service().database.read() as session:
            return get_comment(session, comment_id, site_id)
    except NotFound:
        return None


def _fate(own: CommentView | None) -> Fate | None:
    return fate_of(own.comment.status, own.comment.reason) if own else None


def _address() -> str:
    """The page's address as the reader sees it, if the demo site knows it, or the public one."""
    settings, seen = service().settings, request.host_url.rstrip("/")
    return (seen if seen in demo.origins(settings) else settings.public_url) + "/"
