"""Begin a retraining run when enough was labelled, or when it is time; one is asked for as a person would."""

import logging
from datetime import datetime, timedelta

from moderation.services.errors import RunInProgress
from moderation.services.retraining import labelled_since, last_asked_for, request_run
from moderation.settings import Settings
from workers.process import Process
from workers.turns import Turns

log = logging.getLogger(__name__)

PAUSE_SECONDS = 30.0
ASKED_BY_NUMBER, ASKED_BY_TIME = "new labels", "schedule"


turns = Turns()


def begin_run(process: Process, now: datetime) -> None:
    """Ask for a run if the settings want one now; what was labelled before the last one is not new."""
    settings = process.settings
    wanted = settings.retrain_after_labels or settings.retrain_every_hours
    if not wanted or not turns.due(PAUSE_SECONDS):
        return
    with process.database.read() as session:
        last = last_asked_for(session)
        labelled = labelled_since(session, last, max(1, settings.retrain_after_labels))
    asked_by = _who_asks(settings, last, labelled, now)
    if asked_by is not None:
        _ask(process, asked_by, now)


def _who_asks(settings: Settings, last: datetime | None, labelled: int, now: datetime) -> str | None:
    if 0 < settings.retrain_after_labels <= labelled:
        return ASKED_BY_NUMBER
    hours = settings.retrain_every_hours
    if hours and labelled and (last is None or now - last >= timedelta(hours=hours)):
        return ASKED_BY_TIME
    return None


def _ask(process: Process, asked_by: str, now: datetime) -> None:
    try:
        with process.database.write() as session:
            run_id = request_run(session, asked_by, now).id
    except RunInProgress:
        return  # It may not have seen the newest labels; then the next one will.
    process.jobs.enqueue_retraining(run_id)
    log.info("asked for by %s", asked_by, extra={"run_id": run_id})
