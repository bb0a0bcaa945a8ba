"""submit-spam and submit-ham: what people at the site say about a comment becomes a label."""

from flask import Response
from sqlalchemy.orm import Session

from moderation.api.access import now
from moderation.api.service import service
from moderation.compat.akismet.answers import THANKS, Refused, say
from moderation.compat.akismet.call import Call, charge, check_blog, endpoint, require, require_post
from moderation.compat.akismet.comment import Handed, read_comment
from moderation.services import usage
from moderation.services.at_once import Known, find_known, get_known
from moderation.services.site_feedback import learn_about_comment, learn_about_text


@endpoint("/1.1/submit-spam")
def submit_spam(call: Call) -> Response:
    """Spam that was missed."""
    return _learn(call, spam=True)


@endpoint("/1.1/submit-ham")
def submit_ham(call: Call) -> Response:
    """A comment that was called spam and is none."""
    return _learn(call, spam=False)


def _learn(call: Call, *, spam: bool) -> Response:
    require_post()
    require(call, "blog")
    require(call, "user_ip")
    blog = check_blog(call, lambda why: Refused("Missing required field: blog.", why))
    charge(call)
    handed = read_comment(call)
    if not (handed.is_test or handed.guaranteed_spam):
        _keep(call, handed, blog, spam=spam)
    return say(THANKS)


def _keep(call: Call, handed: Handed, blog: str, *, spam: bool) -> None:
    at, site_id = now(), call.caller.site_id
    with service().database.read() as session:
        known = _find(session, call, handed)
    with service().database.write() as session:
        if known is not None:
            learned = learn_about_comment(session, site_id, known.comment_id, spam=spam, now=at)
            if not learned.contradicts:
                return
        elif handed.new.body:
            learn_about_text(session, site_id, handed.as_example(), spam=spam, now=at)
        usage.count_mistake(session, site_id, blog, at, spam=spam)


def _find(session: Session, call: Call, handed: Handed) -> Known | None:
    """By the id that the check answered with, else by page, author and text."""
    guid = call.read("guid")
    by_id = get_known(session, call.caller.site_id, guid) if guid else None
    return by_id or find_known(session, call.caller.site_id, handed.external_id)
