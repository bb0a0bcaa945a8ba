"""What a site says afterwards about a comment it asked about: a label, and a decision where it differs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from moderation.domain.policy import CLEAN
from moderation.domain.sources import Source, Teacher
from moderation.domain.status import LEADS_TO, Action, Status, may
from moderation.models import Comment, Label, new_id
from moderation.services.change import lock_comment
from moderation.services.decide import Act, Actor, record_decision
from moderation.services.labels import label_text

SPAM = "spam"


@dataclass(frozen=True)
class Learned:
    """Whether the site said something new, and whether it contradicts what stood."""

    new: bool
    contradicts: bool


def learn_about_comment(
    session: Session, site_id: str, comment_id: str, *, spam: bool, now: datetime
) -> Learned:
    """Label a comment of the site and decide it so; the opposite said before is retracted.

    Said twice it changes nothing, nor does it once the author took the comment back. What still waits for the
    policy is labelled only. Raises NotFound.
    """
    comment = lock_comment(session, comment_id, site_id)
    if comment.status == Status.REMOVED:
        return Learned(new=False, contradicts=False)
    earlier = session.scalars(_live_labels(comment)).all()
    if any(label.value is spam for label in earlier):
        return Learned(new=False, contradicts=False)
    for label in earlier:
        label.retracted_at = now
    before = Status(comment.status)
    decision_id = _decide(session, comment, spam, now)
    session.add(
        Label(
            id=new_id("lab"),
            submission_id=comment.submission_id,
            category=SPAM,
            value=spam,
            source=Source.AKISMET,
            decision_id=decision_id,
            site_id=site_id,
            explicit=True,
            created_at=now,
        )
    )
    otherwise = {Status.APPROVED} if spam else {Status.REJECTED, Status.HELD}
    return Learned(new=True, contradicts=not earlier and before in otherwise)


def learn_about_text(
    session: Session, site_id: str, comment: Mapping[str, Any], *, spam: bool, now: datetime
) -> None:
    """Keep a text nobody asked about before, with the site's label."""
    label_text(session, comment, {SPAM: spam}, now, Teacher(Source.AKISMET, site_id))


def _live_labels(comment: Comment) -> Any:
    return select(Label).where(
        Label.submission_id == comment.submission_id,
        Label.source == Source.AKISMET,
        Label.category == SPAM,
        Label.retracted_at.is_(None),
    )


def _decide(session: Session, comment: Comment, spam: bool, now: datetime) -> str | None:
    """The site's decision, if it changes the status; it closes the comment's queue item."""
    action = Action.REJECT if spam else Action.APPROVE
    status = Status(comment.status)
    if status in {Status.PENDING, LEADS_TO[action]} or not may(status, action):
        return None
    actor = Actor("site", comment.site_id, "the site")
    act = Act(action, SPAM if spam else CLEAN, actor, comment.submission_id)
    decision = record_decision(session, comment, act, now)
    session.flush()
    return decision.id
