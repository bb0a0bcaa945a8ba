"""Watching a new champion: one that people correct more, or that approves otherwise, is rolled back."""

import logging
from datetime import datetime, timedelta

from moderation.domain.circuit_breaker import trips
from moderation.scoring import ChampionChanged, ModelError, NothingToRollBack
from moderation.services.audit import ACTS, record
from moderation.services.model_records import last_promotion, records_of
from moderation.services.webhook_outbox import tell_promoted
from workers.process import Process
from workers.turns import Turns

log = logging.getLogger(__name__)

# For so long after a promotion, against so much of the time before it.
WATCHED, COMPARED_WITH = timedelta(days=2), timedelta(days=7)
# Counting takes a while on a busy installation, so not every round does it.
PAUSE_SECONDS = 30.0
ACTOR = "circuit breaker"


turns = Turns()


def watch_champion(process: Process, now: datetime) -> None:
    """Roll the champion back if its first decisions say so; what is put back is not watched."""
    if not process.settings.circuit_breaker or not turns.due(PAUSE_SECONDS):
        return
    try:
        reason = _reason(process, now)
        if reason is not None:
            _roll_back(process, *reason, now)
    except ChampionChanged:
        log.info("somebody else changed the model meanwhile")
    except NothingToRollBack:
        log.error("a model is to be rolled back, but none was in force before it")  # noqa: TRY400 - one line says it all
    except ModelError as error:
        log.error("cannot watch the model (%s)", type(error).__name__)  # noqa: TRY400 - the next round tells


def _reason(process: Process, now: datetime) -> tuple[str, str] | None:
    """The champion and why it is to go."""
    with process.database.read() as session:
        promoted = last_promotion(session, now - WATCHED)
        if promoted is None:
            return None
        registry = process.scorer.registry
        champion, previous = registry.champion(), registry.previous()
        if champion != promoted.subject or previous is None:
            return None
        before = records_of(session, previous, promoted.created_at - COMPARED_WITH)
        after = records_of(session, champion, promoted.created_at)
    reason = trips(before, after)
    return None if reason is None else (champion, reason)


def _roll_back(process: Process, champion: str, reason: str, now: datetime) -> None:
    back = process.scorer.registry.rollback(expected=champion)
    with process.database.write() as session:
        record(session, ACTOR, ACTS["rollback"], back, now, instead_of=champion, reason=reason)
        tell_promoted(session, back, "rollback", now)
    log.warning("rolled %s back to %s: %s", champion, back, reason)
