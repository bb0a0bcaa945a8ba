"""What an author or their site does to a comment afterwards: edit and withdraw."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from moderation.domain.status import Action, Status
from moderation.models import Comment, Submission, new_id
from moderation.services.accept import new_text
from moderation.services.decide import AUTHOR, Act, record_decision
from moderation.services.errors import NotFound
from moderation.services.tally import note


def edit(session: Session, site_id: str, comment_id: str, body: str, now: datetime) -> Comment:
    """Give a comment a new text: another submission, and back to pending; raises NotFound, NotAllowed."""
    comment = lock_comment(session, comment_id, site_id)
    old = comment.submission_id
    act = Act(Action.EDIT, "edited", AUTHOR, old)
    record_decision(session, comment, act, now)
    context = session.get_one(Submission, old).context
    submission = Submission(
        id=new_id("sub"), comment_id=comment_id, site_id=site_id, **new_text(body, context, now)
    )
    session.add(submission)
    comment.submission_id = submission.id
    _overtake(session, old, now)
    note(session, "accepted", "edit")
    return comment


def withdraw(session: Session, site_id: str, comment_id: str, now: datetime) -> Comment:
    """Remove a comment for good; doing it again changes nothing; raises NotFound."""
    comment = lock_comment(session, comment_id, site_id)
    if comment.status != Status.REMOVED:
        act = Act(Action.REMOVE, "withdrawn", AUTHOR, comment.submission_id)
        record_decision(session, comment, act, now)
        _overtake(session, comment.submission_id, now)
    return comment


def lock_comment(session: Session, comment_id: str, site_id: str | None = None) -> Comment:
    """The comment, locked until the end of the transaction; raises NotFound."""
    comment = session.scalars(select(Comment).where(Comment.id == comment_id).with_for_update()).one_or_none()
    if comment is None or (site_id is not None and comment.site_id != site_id):
        raise NotFound("comment")
    return comment


def _overtake(session: Session, submission_id: str, now: datetime) -> None:
    session.execute(
        update(Submission)
        .where(Submission.id == submission_id, Submission.judged_at.is_(None))
        .values(judged_at=now)
    )
