"""Comments whose site waits for the answer: stored, judged and decided in one commit, without a worker."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from moderation.domain.policy import PolicySettings, Signals, Threshold, Verdict
from moderation.domain.rules import judge
from moderation.domain.status import Status
from moderation.models import Comment, Decision
from moderation.services.accept import Entry, NewComment, accept
from moderation.services.decide import DUE_HOURS
from moderation.services.pending import Judged, policies_for, read_taken, record_verdicts, signals_for
from moderation.services.policies import current_policies
from moderation.services.proofs import read_proofs
from moderation.services.recall import NOT_PEOPLE

Scored = tuple[Mapping[str, float] | None, Mapping[str, Threshold], str | None]
# What a door makes of the policy's verdict: what is answered, and what is recorded.
Change = Callable[[Verdict, PolicySettings], Verdict]


@dataclass(frozen=True)
class Known:
    """A comment that was handed in before, and whether people decided it last."""

    comment_id: str
    submission_id: str
    status: Status
    decided_by_people: bool


@dataclass(frozen=True)
class Opinion:
    """The policy's verdict on a comment, and the settings by which it was made."""

    verdict: Verdict
    settings: PolicySettings


def find_known(session: Session, site_id: str, external_id: str) -> Known | None:
    """The comment of a site with this id of the site's own."""
    return _known(session, Comment.site_id == site_id, Comment.external_id == external_id)


def get_known(session: Session, site_id: str, comment_id: str) -> Known | None:
    """The comment of a site with this id of ours."""
    return _known(session, Comment.site_id == site_id, Comment.id == comment_id)


def accept_and_decide(
    session: Session,
    entry: Entry,
    scored: Scored,
    *,
    adjust: Change,
    record: Change,
    due_hours: float = DUE_HOURS,
) -> tuple[str, Opinion]:
    """Store a comment and record what the policy says of it; gives the comment's id and that opinion.

    `adjust` is what the caller knows beside the policy, `record` makes of it the verdict that is recorded.
    Raises ExternalIdTaken and ParentNotFound, and then nothing is stored.
    """
    comment_id = accept(session, entry.site_id, entry.new, entry.now).comment_id
    submission_id = session.scalars(select(Comment.submission_id).where(Comment.id == comment_id)).one()
    (taken,) = read_taken(session, [submission_id], entry.now)
    settings = policies_for(session, [taken])[entry.site_id]
    scores, points, version = scored
    proven = read_proofs(session, {entry.site_id: settings}).get((entry.site_id, version))
    signals = signals_for(taken, scores, points, entry.now, proven=proven)
    verdict = adjust(judge(signals, settings), settings)
    judged = Judged(taken, record(verdict, settings), scores, version)
    record_verdicts(session, [judged], entry.now, due_hours)
    return comment_id, Opinion(verdict, settings)


def judge_again(session: Session, known: Known, scored: Scored, now: datetime) -> Opinion:
    """What the policy says now of a comment it judged before; nothing is recorded."""
    (taken,) = read_taken(session, [known.submission_id], now)
    settings = policies_for(session, [taken])[taken.site_id]
    scores, points, version = scored
    proven = read_proofs(session, {taken.site_id: settings}).get((taken.site_id, version))
    return Opinion(judge(signals_for(taken, scores, points, now, proven=proven), settings), settings)


def judge_unstored(session: Session, site_id: str, new: NewComment, scored: Scored) -> Opinion:
    """What the policy says of a text that is not kept: by the text, the scores and the hidden field."""
    settings = current_policies(session, {site_id}).get(site_id, PolicySettings())
    scores, points, version = scored
    proven = read_proofs(session, {site_id: settings}).get((site_id, version))
    filled = bool(new.context.get("honeypot_filled"))
    signals = Signals(new.body, scores, operating_points=points, honeypot_filled=filled, proven=proven)
    return Opinion(judge(signals, settings), settings)


def _known(session: Session, *conditions: object) -> Known | None:
    row = session.execute(
        select(Comment.id, Comment.submission_id, Comment.status, Decision.actor_kind)
        .outerjoin(Decision, (Decision.comment_id == Comment.id) & (Decision.number == Comment.version))
        .where(*conditions)  # type: ignore[arg-type]
    ).one_or_none()
    if row is None:
        return None
    by_people = row.actor_kind not in {None, *NOT_PEOPLE}
    return Known(row.id, row.submission_id, Status(row.status), by_people)
