"""Tell of a model that came into force, should the process that put it there have died before it told.

A promotion is a change of files, so it cannot share a transaction with the deliveries that tell of it.
"""

import logging
from datetime import datetime

from moderation.scoring import ModelError, Scorer
from moderation.services.retraining import run_is_under_way
from moderation.services.webhook_outbox import announced_model, begin_announcing, tell_promoted
from workers.process import Process

log = logging.getLogger(__name__)


def announce_model(process: Process, now: datetime) -> None:
    """Tell of the champion if another was told of last; the very first one is no news."""
    with process.database.read() as session:
        if run_is_under_way(session):
            # A run tells itself of what it promoted, also after its worker died.
            return
        # Before the champion: what is told meanwhile by others must not be taken back.
        announced = announced_model(session)
    try:
        champion, how = _champion(process.scorer, announced)
    except ModelError:
        # Whoever scores says what is wrong; until it is put right there is nothing to tell.
        return
    if announced is None:
        with process.database.write() as session:
            begin_announcing(session, champion, now)
    elif how is not None:
        with process.database.write() as session:
            if tell_promoted(session, champion, how, now, instead_of=announced):
                log.warning("told of the model in force, which whoever put it there had not")


def _champion(scorer: Scorer, announced: str | None) -> tuple[str, str | None]:
    """The version in force and how it came there from the one announced; None if that cannot be said.

    A record of models that does not know the one announced is another machine's, or another release's.
    """
    registry = scorer.registry
    champion = registry.champion()
    if announced in {None, champion}:
        return champion, None
    if registry.previous() == announced:
        return champion, "promotion"
    return champion, "rollback" if registry.knows(announced or "") else None
