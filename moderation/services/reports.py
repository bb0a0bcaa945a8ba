"""Readers' reports: enough of them bring a comment to a person, once more after each decision."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from moderation.domain.policy import Finding, PolicySettings
from moderation.domain.status import Action, Status
from moderation.models import Comment, Decision, Outcome, QueueItem, Report, Score, Submission, new_id
from moderation.services.accept import insert_unless_present
from moderation.services.change import lock_comment
from moderation.services.decide import DUE_HOURS, stored_findings
from moderation.services.errors import NotAllowed
from moderation.services.policies import current_policies

REPORTED = "reported"
# A published comment that readers complain about is more urgent than one that nobody sees.
REPORTED_WITHIN = timedelta(hours=1)


@dataclass(frozen=True)
class NewReport:
    """What a reader says about a comment; `reporter` tells readers apart and names nobody."""

    reporter: str
    reason: str
    detail: str | None = None


def report(session: Session, site_id: str, comment_id: str, new: NewReport, now: datetime) -> Report:
    """Keep a complaint, and open an item when the site's policy says there are enough of them.

    The same reader and text again gives the first report. Raises NotFound, and NotAllowed for a comment that
    is not shown and that nobody can complain about.
    """
    comment = lock_comment(session, comment_id, site_id)
    if comment.status not in {Status.APPROVED, Status.HELD}:
        raise NotAllowed("only a published comment can be reported")
    found = Report(
        id=new_id("rep"),
        site_id=site_id,
        comment_id=comment_id,
        submission_id=comment.submission_id,
        reporter=new.reporter,
        reason=new.reason,
        detail=new.detail,
        created_at=now,
    )
    if not insert_unless_present(session, found):
        return _of_reader(session, comment.submission_id, new.reporter)
    _bring_to_a_person(session, comment, now)
    return _of_reader(session, comment.submission_id, new.reporter)


def reports_of(session: Session, comment_id: str) -> Sequence[Report]:
    """All complaints about a comment, oldest first."""
    return session.scalars(select(Report).where(Report.comment_id == comment_id).order_by(Report.id)).all()


def settle_reports(session: Session, item_id: str, action: Action | None) -> None:
    """Say what became of the reports an item was about; None: that is open again."""
    outcomes = {None: None, Action.REJECT: Outcome.UPHELD, Action.APPROVE: Outcome.DISMISSED}
    session.execute(
        update(Report).where(Report.queue_item_id == item_id).values(outcome=outcomes.get(action))
    )


def _of_reader(session: Session, submission_id: str, reporter: str) -> Report:
    return session.scalars(
        select(Report)
        .where(Report.submission_id == submission_id, Report.reporter == reporter)
        .execution_options(populate_existing=True)
    ).one()


def _bring_to_a_person(session: Session, comment: Comment, now: datetime) -> None:
    unsettled = (Report.submission_id == comment.submission_id) & Report.outcome.is_(None)
    count = session.scalar(select(func.count()).where(unsettled)) or 0
    item_id = session.scalar(
        select(QueueItem.id).where(QueueItem.comment_id == comment.id, QueueItem.closed_at.is_(None))
    )
    if item_id is None:
        policy = current_policies(session, {comment.site_id}).get(comment.site_id, PolicySettings())
        if policy.report_limit == 0 or count < policy.report_limit:
            return
        item_id = _open_item(session, comment, count, now)
    else:
        # Changed in substance: who looks at it must see it again before deciding.
        due = QueueItem.due_at
        within = now + REPORTED_WITHIN
        session.execute(
            update(QueueItem)
            .where(QueueItem.id == item_id)
            .values(reports=count, version=QueueItem.version + 1)
        )
        session.execute(update(QueueItem).where(QueueItem.id == item_id, due > within).values(due_at=within))
    session.execute(update(Report).where(unsettled).values(queue_item_id=item_id))


def _open_item(session: Session, comment: Comment, count: int, now: datetime) -> str:
    last = session.scalars(
        select(Decision).where(Decision.comment_id == comment.id, Decision.number == comment.version)
    ).one()
    previous = session.scalar(
        select(QueueItem.id).where(QueueItem.comment_id == comment.id).order_by(QueueItem.id.desc()).limit(1)
    )
    score = session.scalars(
        # The one it was decided on: others were given later, for a proof by another model.
        select(Score)
        .join(Submission, Submission.id == Score.submission_id)
        .where(Score.submission_id == comment.submission_id, Score.created_at <= Submission.judged_at)
        .order_by(Score.created_at.desc())
        .limit(1)
    ).first()
    item = QueueItem(
        id=new_id("item"),
        site_id=comment.site_id,
        comment_id=comment.id,
        submission_id=comment.submission_id,
        reason=REPORTED,
        findings=[*stored_findings((_finding(count),)), *last.findings],
        model_version=score.model_version if score else None,
        top_score=max(score.by_category().values()) if score else 0.0,
        opened_at=now,
        due_at=now + min(REPORTED_WITHIN, timedelta(hours=DUE_HOURS)),
        reports=count,
        previous_id=previous,
    )
    session.add(item)
    session.flush()
    return item.id


def _finding(count: int) -> Finding:
    readers = "a reader" if count == 1 else f"{count} readers"
    return Finding("reports", Action.HOLD, REPORTED, f"reported by {readers}")
