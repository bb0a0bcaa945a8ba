"""Shadows: model versions that score what comes beside the one in force, and what that shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, delete, func, select, update
from sqlalchemy.orm import Session

from moderation.domain.policy import CATEGORIES
from moderation.models import Score, Shadow, ShadowScore, new_id, table_of
from moderation.services.accept import insert_new, insert_unless_present
from moderation.services.audit import record
from moderation.services.errors import NotFound, ShadowRefused

OPEN = "open"
# Scoring twice costs twice, and these say all there is to say: then a shadow ends by itself.
MOST_COMMENTS, LONGEST = 20_000, timedelta(days=14)
# For so long after its end its scores are kept, and so many are deleted at once then.
KEPT, DELETED_AT_ONCE = timedelta(days=30), 1_000
BEGUN, ENDED = "shadow begun", "shadow ended"


@dataclass(frozen=True)
class Difference:
    """By how much a shadow scores a category higher on average, and how far its scores are off."""

    category: str
    mean: float
    absolute: float


@dataclass(frozen=True)
class Comparison:
    """A shadow beside the model that decided: comments, verdicts that would differ, scores."""

    comments: int
    differing: int
    agreement: float | None
    changes: Mapping[str, int]
    categories: Sequence[Difference]


def begin_shadow(session: Session, version: str, by: str, now: datetime) -> Shadow:
    """Let a version score beside the one in force; raises ShadowRefused while another one does."""
    shadow = Shadow(id=new_id("sha"), model_version=version, slot=OPEN, begun_by=by, begun_at=now)
    if not insert_unless_present(session, shadow):
        raise ShadowRefused("a model scores in the shadow already")
    record(session, by, BEGUN, version, now)
    return session.get_one(Shadow, shadow.id)


def open_shadow(session: Session) -> Shadow | None:
    """The one that scores now."""
    return session.scalars(select(Shadow).where(Shadow.slot == OPEN)).first()


def last_shadow(session: Session) -> Shadow | None:
    """The one that scores now, or scored last."""
    return session.scalars(select(Shadow).order_by(Shadow.id.desc()).limit(1)).first()


def find_shadow(session: Session, version: str) -> Shadow | None:
    """The latest time a version scored in the shadow."""
    query = select(Shadow).where(Shadow.model_version == version).order_by(Shadow.id.desc()).limit(1)
    return session.scalars(query).first()


def get_shadow(session: Session, version: str) -> Shadow:
    """The latest time a version scored in the shadow; raises NotFound."""
    found = find_shadow(session, version)
    if found is None:
        raise NotFound("shadow")
    return found


def end_shadow(session: Session, shadow: Shadow, by: str, because: str, now: datetime) -> bool:
    """End it; whether it was still on."""
    ended = session.scalar(
        update(Shadow)
        .where(Shadow.id == shadow.id, Shadow.slot == OPEN)
        .values(slot=None, ended_at=now, ended_because=because)
        .returning(Shadow.id)
    )
    if ended is not None:
        record(session, by, ENDED, shadow.model_version, now, reason=because)
    return ended is not None


def keep_shadow_scores(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep what a shadow said; what is there already stays."""
    if rows:
        session.execute(insert_new(session, table_of(ShadowScore)), list(rows))


def reason_to_end(session: Session, shadow: Shadow, now: datetime) -> str | None:
    """Why it has seen enough; None while it has not."""
    if now - shadow.begun_at >= LONGEST:
        return f"{LONGEST.days} days are over"
    return "enough comments" if _count(session, shadow) >= MOST_COMMENTS else None


def compare(session: Session, shadow: Shadow) -> Comparison:
    """What its scores show."""
    comments = _count(session, shadow)
    changes = _changes(session, shadow)
    differing = sum(changes.values())
    agreement = round(1 - differing / comments, 4) if comments else None
    return Comparison(comments, differing, agreement, changes, _differences(session, shadow))


def has_old_shadow(session: Session, now: datetime) -> bool:
    """Whether there is one that ended long ago."""
    return session.scalar(_old(now)) is not None


def forget_shadow(session: Session, now: datetime) -> bool:
    """Delete some of what a shadow that ended long ago said; whether there may be more."""
    shadow_id = session.scalar(_old(now))
    if shadow_id is None:
        return False
    some = select(ShadowScore.submission_id).where(ShadowScore.shadow_id == shadow_id).limit(DELETED_AT_ONCE)
    ids = session.scalars(some).all()
    if ids:
        which = ShadowScore.shadow_id == shadow_id, ShadowScore.submission_id.in_(ids)
        session.execute(delete(ShadowScore).where(*which))
    else:
        session.execute(delete(Shadow).where(Shadow.id == shadow_id))
    return True


def _old(now: datetime) -> Select[str]:
    return select(Shadow.id).where(Shadow.ended_at < now - KEPT).order_by(Shadow.id).limit(1)


def _count(session: Session, shadow: Shadow) -> int:
    query = select(func.count()).select_from(ShadowScore).where(ShadowScore.shadow_id == shadow.id)
    return session.scalar(query) or 0


def _changes(session: Session, shadow: Shadow) -> dict[str, int]:
    pair = ShadowScore.verdict, ShadowScore.shadow_verdict
    rows = session.execute(
        select(*pair, func.count())
        .where(ShadowScore.shadow_id == shadow.id, ShadowScore.verdict != ShadowScore.shadow_verdict)
        .group_by(*pair)
        .order_by(*pair)
    )
    return {f"{before} to {after}": count for before, after, count in rows}


def _differences(session: Session, shadow: Shadow) -> list[Difference]:
    apart = {category: getattr(ShadowScore, category) - getattr(Score, category) for category in CATEGORIES}
    means = [mean for one in apart.values() for mean in (func.avg(one), func.avg(func.abs(one)))]
    decided_on = and_(
        Score.submission_id == ShadowScore.submission_id, Score.model_version == ShadowScore.champion
    )
    row = session.execute(
        select(*means)
        .select_from(ShadowScore)
        .join(Score, decided_on)
        .where(ShadowScore.shadow_id == shadow.id)
    ).one()
    pairs = zip(CATEGORIES, row[::2], row[1::2], strict=True)
    return [
        Difference(category, round(mean, 4), round(absolute, 4))
        for category, mean, absolute in pairs
        if mean is not None
    ]
