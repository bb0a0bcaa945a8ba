"""What a model in force is measured by for drift: its first scores and its latest, and what was found."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from moderation.domain.drift import Bins, Level, Shift, strongest, told
from moderation.domain.new_words import NewWords, words_level
from moderation.domain.policy import CATEGORIES
from moderation.models import AnnouncedModel, Drift, Score, Submission, first_id, table_of

# A period is read in so many parts of equal length, the first few comments of each: some 5,000 however many
# came, from every hour of a week, and each part by the order of the primary key.
PARTS, MOST_OF_A_PART = 168, 30
# A model that was not looked at for so long is not in force; should it come back, it begins anew.
KEPT = timedelta(days=90)


@dataclass(frozen=True)
class Sample:
    """Comments that a model version decided on, one of each text, the oldest first."""

    since: datetime
    until: datetime
    submission_ids: Sequence[str]
    scores: Mapping[str, Sequence[float]]

    def __len__(self) -> int:
        return len(self.submission_ids)


@dataclass(frozen=True)
class Look:
    """What one look found."""

    at: datetime
    since: datetime
    comments: int
    shifts: Mapping[str, Shift]
    words: NewWords


def in_force_since(session: Session, version: str) -> datetime | None:
    """Since when a version is known to be in force; None while it is another one that was told of last."""
    query = select(AnnouncedModel.announced_at).where(AnnouncedModel.version == version)
    return session.scalars(query).first()


def sample(session: Session, version: str, since: datetime, until: datetime) -> Sample:
    """Comments accepted in a period with the scores on which this version decided them."""
    length = (until - since) / PARTS
    found: dict[str, Any] = {}
    for n in range(PARTS):
        begin = since + n * length
        period = {"after": first_id("sub", begin), "before": first_id("sub", begin + length)}
        # A campaign is one text: as often as it came, it would hide everything else.
        for row in session.execute(_SCORED, {**period, "version": version}):
            found.setdefault(row.body_digest, row)
    rows = list(found.values())
    by_category = {category: [getattr(row, category) for row in rows] for category in CATEGORIES}
    return Sample(since, until, [row.submission_id for row in rows], by_category)


def bodies(session: Session, submission_ids: Sequence[str]) -> list[str]:
    """Texts of submissions, the oldest first."""
    query = select(Submission.body).where(Submission.id.in_(submission_ids)).order_by(Submission.id)
    return list(session.scalars(query))


def read_drift(session: Session, version: str) -> Drift | None:
    """What is known of a version; None before enough came to compare anything with."""
    return session.get(Drift, version)


def known_words(session: Session, version: str) -> bytes:
    """The fingerprint of the words that came in a version's first weeks."""
    return session.scalars(select(Drift.known_words).where(Drift.model_version == version)).one()


def latest_drift(session: Session, since: datetime) -> Drift | None:
    """The last look at any version, if it was not before `since`."""
    query = select(Drift).where(Drift.looked_at >= since).order_by(Drift.looked_at.desc()).limit(1)
    return session.scalars(query).first()


def keep_reference(
    session: Session,
    version: str,
    first: Sample,
    *,
    bins: Mapping[str, Bins],
    fingerprint: bytes,
    words: NewWords,
    now: datetime,
) -> None:
    """Keep what all later comments are compared with, and forget that of versions long out of force."""
    session.merge(
        Drift(
            model_version=version,
            since=first.since,
            until=first.until,
            comments=len(first),
            bins={category: asdict(one) for category, one in bins.items()},
            known_words=fingerprint,
            words=asdict(words),
            looked_at=now,
            recent_since=first.until,
            recent_comments=0,
            recent_words=asdict(NewWords(0, 0.0, 0.0)),
            shifts={},
        )
    )
    session.execute(delete(Drift).where(Drift.looked_at < now - KEPT))


def keep_look(session: Session, version: str, look: Look) -> None:
    """Keep what was found last."""
    drift = session.get(Drift, version)
    if drift is None:
        return
    level = words_level(NewWords(**drift.words), look.words)
    drift.looked_at, drift.recent_since, drift.recent_comments = look.at, look.since, look.comments
    drift.shifts = {category: asdict(one) for category, one in look.shifts.items()}
    drift.recent_words, drift.words_level = asdict(look.words), level


def bins_of(drift: Drift) -> dict[str, Bins]:
    """The distributions of the first weeks, by category."""
    return {name: Bins(tuple(one["edges"]), tuple(one["counts"])) for name, one in drift.bins.items()}


def shifts_of(drift: Drift) -> dict[str, Shift]:
    """What was found last, in the order of the categories; empty while too few comments came."""
    found = {name: drift.shifts[name] for name in CATEGORIES if name in drift.shifts}
    return {name: Shift(one["index"], one["chance"], Level(one["level"])) for name, one in found.items()}


def level_of(drift: Drift) -> Level | None:
    """The strongest level of all that was compared; None while nothing can be."""
    levels = [one.level for one in shifts_of(drift).values()]
    levels += [] if drift.words_level is None else [Level(drift.words_level)]
    return strongest(levels) if levels else None


def told_of(drift: Drift) -> str:
    """What was found last, in a sentence without any text of a comment."""
    if level_of(drift) is None:
        return f"too few comments since ({drift.recent_comments})"
    words = None
    if drift.words_level is not None:
        words = (drift.words["share"], drift.recent_words["share"], Level(drift.words_level))
    days = max(round((drift.looked_at - drift.recent_since) / timedelta(days=1)), 1)
    counted = f"{drift.recent_comments:,} comments of {days} days against {drift.comments:,} of its first"
    return f"{told(shifts_of(drift), words)} ({counted})"


_SCORES, _SUBMISSIONS = table_of(Score), table_of(Submission)
# Scored no later than judged: what a proof scored afterwards was labelled, which most comments are not.
_SCORED = (
    select(
        _SCORES.c.submission_id, _SUBMISSIONS.c.body_digest, *(_SCORES.c[category] for category in CATEGORIES)
    )
    .join(_SUBMISSIONS, _SUBMISSIONS.c.id == _SCORES.c.submission_id)
    .where(
        _SCORES.c.submission_id >= bindparam("after"),
        _SCORES.c.submission_id < bindparam("before"),
        _SCORES.c.model_version == bindparam("version"),
        _SCORES.c.created_at <= _SUBMISSIONS.c.judged_at,
    )
    .order_by(_SCORES.c.submission_id)
    .limit(MOST_OF_A_PART)
)
