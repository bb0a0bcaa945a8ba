"""Looking for drift: at most once an hour the sweeper compares what comes with the champion's first weeks."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from moderation.domain.drift import FEWEST_NOW, FEWEST_THEN, Level, Shift, binned, shift
from moderation.domain.new_words import fingerprint, new_words
from moderation.models import Drift
from moderation.scoring import ModelError, words_of
from moderation.services.drift import (
    Look,
    Sample,
    bins_of,
    bodies,
    in_force_since,
    keep_look,
    keep_reference,
    known_words,
    level_of,
    read_drift,
    sample,
    told_of,
)
from workers.process import Process
from workers.turns import Turns

log = logging.getLogger(__name__)

PAUSE = timedelta(hours=1)
# A week has every hour of the day and every day in it. Where too few comments come, several weeks are taken.
WEEK = timedelta(weeks=1)
MOST_WEEKS_THEN, MOST_WEEKS_NOW = 64, 4
# Reading words takes some 0.1 ms a text. The last fifth of the first weeks' texts tells how many words are
# new at any time, so it is no part of the fingerprint.
TEXTS_THEN, TEXTS_NOW = 2_000, 500


turns = Turns()


def watch_drift(process: Process, now: datetime) -> None:
    """Look whether what comes has changed, and say so when it begins and when it ends."""
    if not turns.due(PAUSE.total_seconds()):
        return
    try:
        version = process.scorer.registry.champion()
    except ModelError:
        # Whoever scores says what is wrong.
        return
    with process.database.read() as session:
        drift = read_drift(session, version)
    if drift is None:
        _begin(process, version, now)
    # Another sweeper may have looked meanwhile, or this one before it was started again.
    elif now - drift.looked_at >= PAUSE or drift.recent_comments == 0:
        _look(process, drift, now)


def _begin(process: Process, version: str, now: datetime) -> None:
    """Keep the first weeks of a model as soon as enough came."""
    with process.database.read() as session:
        since = in_force_since(session, version)
        first = None if since is None else _first_weeks(session, version, since, now)
        texts = [] if first is None else _words(bodies(session, _spread(first.submission_ids, TEXTS_THEN)))
    if first is None:
        return
    part = len(texts) * 4 // 5
    made = fingerprint(word for words in texts[:part] for word in words)
    with process.database.write() as session:
        keep_reference(
            session,
            version,
            first,
            bins={category: binned(scores) for category, scores in first.scores.items()},
            fingerprint=made,
            words=new_words(made, texts[part:]),
            now=now,
        )
    log.info("the first %d comments of %s are what later ones are compared with", len(first), version)


def _look(process: Process, drift: Drift, now: datetime) -> None:
    version = drift.model_version
    with process.database.read() as session:
        recent = _last_weeks(session, drift, now)
        texts = _words(bodies(session, _spread(recent.submission_ids, TEXTS_NOW)))
        made = known_words(session, version)
    look = Look(now, recent.since, len(recent), _shifts(drift, recent), new_words(made, texts))
    with process.database.write() as session:
        keep_look(session, version, look)
    with process.database.read() as session:
        after = read_drift(session, version)
    if after is not None:
        _tell(drift, after)


def _shifts(drift: Drift, recent: Sample) -> dict[str, Shift]:
    if len(recent) < FEWEST_NOW:
        return {}
    return {category: shift(bins, recent.scores[category]) for category, bins in bins_of(drift).items()}


def _tell(before: Drift, after: Drift) -> None:
    """One line when an alarm begins and one when it is over, not one an hour."""
    was, now = level_of(before) is Level.ALARM, level_of(after) is Level.ALARM
    if now and not was:
        log.warning("drift of %s: %s", after.model_version, told_of(after))
    elif was and not now:
        log.info("no drift of %s any more: %s", after.model_version, told_of(after))


def _first_weeks(session: Session, version: str, since: datetime, now: datetime) -> Sample | None:
    """The shortest beginning, in whole weeks, that has enough; None while it has not come yet."""
    weeks = 1
    while weeks <= MOST_WEEKS_THEN and since + weeks * WEEK <= now:
        found = sample(session, version, since, since + weeks * WEEK)
        if len(found) >= FEWEST_THEN:
            return found
        weeks *= 2
    return None


def _last_weeks(session: Session, drift: Drift, now: datetime) -> Sample:
    """The last week, or as many as it takes, but nothing of what is compared with."""
    weeks = 1
    while True:
        since = max(now - weeks * WEEK, drift.until)
        found = sample(session, drift.model_version, since, now)
        if len(found) >= FEWEST_NOW or since == drift.until or weeks >= MOST_WEEKS_NOW:
            return found
        weeks *= 2


def _spread(ids: Sequence[str], most: int) -> list[str]:
    """So many of them at even steps."""
    step = max(1.0, len(ids) / most)
    return [ids[int(n * step)] for n in range(min(most, len(ids)))]


def _words(texts: Sequence[str]) -> list[list[str]]:
    """The words of each text, those left out that cannot be read."""
    read = []
    for text in texts:
        try:
            read.append(words_of(text))
        except Exception as error:
            log.error("a text could not be read for drift (%s)", type(error).__name__)  # noqa: TRY400 - one line says it all
    return read
