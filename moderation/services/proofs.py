"""What a site's promises rest on: its labelled comments, and what was proven by them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, or_, select
from sqlalchemy.orm import Session

from moderation.domain.policy import PolicySettings
from moderation.domain.promises import Judged, Proof, Proven, prove
from moderation.domain.settling import Taught, settle
from moderation.domain.sources import Source
from moderation.models import Label, Score, Site, SiteProof, Submission, table_of
from moderation.services.accept import insert_new
from moderation.services.labelled import texts_of
from moderation.services.policies import current_policies

# The newest labelled texts of a year: older ones say little of what comes now.
MOST_TEXTS = 10_000
WINDOW = timedelta(days=365)
# New labels are waited for so long; and other thresholds are tried only when there are so many times more.
PAUSE = timedelta(seconds=60)
GROWTH = 1.2
KEPT = timedelta(days=30)
Proofs = Mapping[tuple[str, str | None], Mapping[str, Proven]]


@dataclass(frozen=True)
class Labelled:
    """A labelled text of a site: what people said, and how a model version scored it (None: not yet)."""

    submission_id: str
    comment: Mapping[str, Any]
    labels: Mapping[str, bool]
    scores: Mapping[str, float] | None


def read_proofs(session: Session, policies: Mapping[str, PolicySettings]) -> Proofs:
    """What is proven, by site and model version, for sites that promise something; nothing for the others."""
    promising = [site_id for site_id, policy in policies.items() if policy.promises]
    if not promising:
        return {}
    rows = session.scalars(select(SiteProof).where(SiteProof.site_id.in_(promising)))
    # A proof of other promises is none; until it is made anew people look.
    return {
        (row.site_id, row.model_version): proven_from(row.categories)
        for row in rows
        if row.policy_version == policies[row.site_id].version
    }


def promising_sites(session: Session) -> dict[str, PolicySettings]:
    """The policies of sites that promise something."""
    policies = current_policies(session, set(session.scalars(select(Site.id))))
    return {site_id: policy for site_id, policy in policies.items() if policy.promises}


def sites_to_prove(
    session: Session, promising: Mapping[str, PolicySettings], model_version: str, now: datetime
) -> list[str]:
    """Those of them for which nothing was proven yet, or other labels were given since."""
    query = select(SiteProof).where(
        SiteProof.model_version == model_version, SiteProof.site_id.in_(promising)
    )
    found = {row.site_id: row for row in session.scalars(query)}
    return [
        site_id
        for site_id, policy in promising.items()
        if _is_due(session, found.get(site_id), site_id, policy.version, now)
    ]


def scored_texts(session: Session, site_id: str, model_version: str, now: datetime) -> list[Labelled]:
    """The newest labelled texts of a site, one of each text, with what their labels say together."""
    newest = (
        select(Label.submission_id, func.max(Label.created_at).label("at"))
        .join(Submission, Submission.id == Label.submission_id)
        .where(Submission.site_id == site_id, _proves(), Label.created_at >= now - WINDOW)
        .group_by(Label.submission_id)
        .order_by(func.max(Label.created_at).desc(), Label.submission_id.desc())
        .limit(MOST_TEXTS)
        .subquery()
    )
    rows = session.execute(
        select(newest.c.submission_id, Submission.body_digest, Score)
        .join(Submission, Submission.id == newest.c.submission_id)
        .outerjoin(Score, (Score.submission_id == Submission.id) & (Score.model_version == model_version))
        .order_by(newest.c.at, newest.c.submission_id)
    ).all()
    # A campaign is one text: counted as often as it came, it would prove too much.
    once = {row.body_digest: row for row in rows}
    scores = {row.submission_id: row.Score for row in once.values()}
    return [
        Labelled(
            submission_id=text.id,
            comment=text.comment,
            labels=settle(one for one in text.taught if not _from_history(one)).labels,
            scores=None if (score := scores[text.id]) is None else score.by_category(),
        )
        for text in texts_of(session, list(scores))
    ]


def proven_now(
    policy: PolicySettings, texts: Sequence[Labelled], last: SiteProof | None = None, *, anew: bool = True
) -> dict[str, Proven]:
    """What these texts prove of a policy's promises after the `last` proof; only those with scores count."""
    judged = [Judged(text.scores, text.labels) for text in texts if text.scores is not None]
    before = None if last is None else proven_from(last.categories)
    return prove(policy.promises, judged, policy.promise_confidence, before=before, anew=anew)


def tries_anew(last: SiteProof | None, label_count: int) -> bool:
    """Whether there are enough labels more (or fewer) than at the last try to try other thresholds."""
    return last is None or not last.label_count <= label_count < GROWTH * last.label_count


def last_proof(session: Session, site_id: str, model_version: str, policy_version: int) -> SiteProof | None:
    """What was proven last of the same promises for the same model version."""
    found = session.get(SiteProof, (site_id, model_version))
    return found if found is not None and found.policy_version == policy_version else None


def keep_scores(
    session: Session, model_version: str, scores: Mapping[str, Mapping[str, float]], now: datetime
) -> None:
    """Keep how a model version scored texts judged before its time, by submission."""
    rows = [
        {"submission_id": one, "model_version": model_version, "created_at": now, **by_category}
        for one, by_category in scores.items()
    ]
    if rows:
        session.execute(insert_new(session, table_of(Score)), rows)


def keep_proof(
    session: Session,
    site_id: str,
    model_version: str,
    proven: Mapping[str, Proven],
    *,
    policy_version: int,
    label_count: int,
    tried_with: int,
    now: datetime,
) -> None:
    """Put what is proven in force; what was proven for other versions is kept for some time,
    for one of them may be put in force again."""
    session.merge(
        SiteProof(
            site_id=site_id,
            model_version=model_version,
            policy_version=policy_version,
            categories={category: asdict(one) for category, one in proven.items()},
            label_count=tried_with,
            labels_seen=label_count,
            computed_at=now,
        )
    )
    session.execute(
        delete(SiteProof).where(
            SiteProof.site_id == site_id,
            SiteProof.model_version != model_version,
            SiteProof.computed_at < now - KEPT,
        )
    )


def count_labels(session: Session, site_id: str) -> int:
    """How many labels of a site stand that prove something."""
    query = (
        select(func.count())
        .select_from(Label)
        .join(Submission, Submission.id == Label.submission_id)
        .where(Submission.site_id == site_id, _proves())
    )
    return session.scalar(query) or 0


def proven_from(stored: Mapping[str, Any]) -> dict[str, Proven]:
    """What was stored, as the policy reads it."""
    return {
        category: Proven(
            **{side: Proof(**proof) if proof is not None else None for side, proof in sides.items()}
        )
        for category, sides in stored.items()
    }


def _proves() -> ColumnElement[bool]:
    """A label in force that was given here: what a site decided before it came teaches, but proves nothing.

    Nobody knows how much of it was published unseen, and a promise must not rest on that.
    """
    return and_(Label.retracted_at.is_(None), or_(Label.source != Source.IMPORT, Label.explicit.is_(True)))


def _from_history(taught: Taught) -> bool:
    return taught.teacher.source == Source.IMPORT and not taught.explicit


def _is_due(
    session: Session, proof: SiteProof | None, site_id: str, policy_version: int, now: datetime
) -> bool:
    if proof is None or proof.policy_version != policy_version:
        return True
    return now - proof.computed_at >= PAUSE and count_labels(session, site_id) != proof.labels_seen
