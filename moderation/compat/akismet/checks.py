"""comment-check: is it spam? Scored here and now, and kept so that what is reported later finds it."""

from flask import Response

from moderation.api.access import now
from moderation.api.service import service
from moderation.compat.akismet.answers import GUID, PRO_TIP, Refused, cannot_judge, say
from moderation.compat.akismet.call import Call, charge, check_blog, endpoint, require, require_post
from moderation.compat.akismet.comment import Handed, read_comment
from moderation.domain.policy import PolicySettings, Verdict
from moderation.domain.spam_answer import SpamAnswer, as_told, spam_answer, trust_role
from moderation.domain.status import Status
from moderation.judging import Scored, score_alone
from moderation.services import usage
from moderation.services.accept import Entry
from moderation.services.at_once import (
    Known,
    Opinion,
    accept_and_decide,
    find_known,
    get_known,
    judge_again,
    judge_unstored,
)
from moderation.services.errors import ExternalIdTaken


@endpoint("/1.1/comment-check")
def check_comment(call: Call) -> Response:
    """`true` for spam, `false` for ham; neither if that cannot be said."""
    require_post()
    require(call, "blog")
    require(call, "user_ip")
    blog = check_blog(call, lambda why: Refused("Missing required field: blog.", why))
    charge(call)
    handed = read_comment(call)
    if handed.guaranteed_spam and not handed.administrator:
        return _say(SpamAnswer(spam=True, discard=handed.wants_discard))
    scored = score_alone(service().scorer, handed.as_comment())
    if handed.is_test or not handed.new.body:
        return _say(_try_out(call, handed, scored))
    if scored[0] is None:
        # Kept only when it can be judged: the client keeps the comment back and asks again.
        raise cannot_judge()
    return _check(call, handed, scored, blog)


def _try_out(call: Call, handed: Handed, scored: Scored) -> SpamAnswer:
    """The answer to a test, or to a sign-up without a text: nothing is kept."""
    with service().database.read() as session:
        opinion = judge_unstored(session, call.caller.site_id, handed.new, scored)
    return spam_answer(_adjusted(handed, opinion.verdict, opinion.settings), opinion.settings)


def _check(call: Call, handed: Handed, scored: Scored, blog: str) -> Response:
    known = _known(call, handed)
    if known is None:
        try:
            return _check_new(call, handed, scored, blog)
        except ExternalIdTaken as taken:
            # The same comment came twice at the same moment.
            known = _get(call, taken.comment_id)
    if known is None:
        raise cannot_judge()
    return _check_again(call, handed, known, scored, blog)


def _check_new(call: Call, handed: Handed, scored: Scored, blog: str) -> Response:
    at, site_id = now(), call.caller.site_id
    with service().database.write() as session:
        comment_id, opinion = accept_and_decide(
            session,
            Entry(site_id, handed.new, at),
            scored,
            adjust=lambda verdict, settings: _adjusted(handed, verdict, settings),
            record=as_told,
            due_hours=service().settings.due_hours,
        )
        answer = spam_answer(opinion.verdict, opinion.settings)
        usage.count_check(session, site_id, blog, at, spam=answer.spam)
    return _say(answer, comment_id)


def _check_again(call: Call, handed: Handed, known: Known, scored: Scored, blog: str) -> Response:
    """A comment that came before is not kept twice. What people decided about it stands."""
    at = now()
    with service().database.write() as session:
        opinion = judge_again(session, known, scored, at)
        answer = _answer_again(handed, known, opinion)
        usage.count_check(session, call.caller.site_id, blog, at, spam=answer.spam)
    return _say(answer, known.comment_id)


def _answer_again(handed: Handed, known: Known, opinion: Opinion) -> SpamAnswer:
    if known.decided_by_people and known.status in {Status.APPROVED, Status.REJECTED}:
        return SpamAnswer(spam=known.status is Status.REJECTED)
    return spam_answer(_adjusted(handed, opinion.verdict, opinion.settings), opinion.settings)


def _adjusted(handed: Handed, verdict: Verdict, settings: PolicySettings) -> Verdict:
    return trust_role(verdict, settings) if handed.administrator else verdict


def _known(call: Call, handed: Handed) -> Known | None:
    with service().database.read() as session:
        return find_known(session, call.caller.site_id, handed.external_id)


def _get(call: Call, comment_id: str) -> Known | None:
    with service().database.read() as session:
        return get_known(session, call.caller.site_id, comment_id)


def _say(answer: SpamAnswer, comment_id: str = "") -> Response:
    if not answer.known:
        raise cannot_judge()
    headers = {GUID: comment_id} if comment_id else {}
    if answer.discard:
        headers[PRO_TIP] = "discard"
    return say("true" if answer.spam else "false", headers)
