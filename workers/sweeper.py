"""The sweeper: finds in the database what Redis forgot, and wakes somebody for it."""

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select, tuple_

from moderation.languages import language_of
from moderation.models import IdempotencyKey
from moderation.scoring import words_of
from moderation.services.following import anything_to_follow, follow_decisions, texts_to_follow
from moderation.services.item_languages import items_without_language, keep_languages
from moderation.services.pending import count_waiting, end_holds, has_pending, impossible_holds
from moderation.services.proofs import promising_sites, sites_to_prove
from moderation.services.recall import forget_memories
from moderation.services.retraining import MOST_ATTEMPTS, RunStatus, finish_run, lost_runs, take_run
from moderation.services.shadows import (
    end_shadow,
    forget_shadow,
    has_old_shadow,
    open_shadow,
    reason_to_end,
)
from moderation.services.traces import forget_traces, old_traces
from moderation.services.webhook_deliveries import DELETED_AT_ONCE, delete_old, has_due, has_old
from workers.announcing import announce_model
from workers.beginning import begin_run
from workers.drifting import watch_drift
from workers.process import Process
from workers.watching import watch_champion

log = logging.getLogger(__name__)

SWEEPER = "sweeper"
IDEMPOTENCY_KEPT = timedelta(hours=24)
# So that no transaction is long, above all the first after a day of heavy use.
FORGOTTEN_AT_ONCE = 1000
# Short enough for others to write in between, and some thousands a round.
FOLLOWED_AT_ONCE, FOLLOWED_STEPS = 200, 25
# While so many comments wait for their verdict, the machine is theirs, but not for longer than that.
MANY_WAITING, FOLLOWED_LATER = 1000, timedelta(minutes=1)
# Some 0.1 ms each.
READ_AT_ONCE = 500
_KEY = (IdempotencyKey.site_id, IdempotencyKey.key)


def sweep_forever(process: Process, stop: threading.Event) -> None:
    """Sweep, pause, and again; a failed round is logged and the next one tries anew."""
    while not stop.is_set():
        try:
            sweep_now(process)
        except Exception as error:
            log.error("this round failed (%s)", type(error).__name__)  # noqa: TRY400 - the next round tells
        stop.wait(process.settings.sweep_seconds)


def sweep_now(process: Process) -> None:
    """One round, at this moment."""
    now = datetime.now(UTC)
    end_impossible_holds(process, now)
    wake_pending(process, now)
    revive_runs(process, now)
    begin_run(process, now)
    announce_model(process, now)
    forget_idempotency_keys(process, now)
    wake_webhooks(process, now)
    forget_deliveries(process, now)
    keep_traces(process, now)
    forget_old_traces(process, now)
    read_languages(process)
    wake_proving(process, now)
    watch_champion(process, now)
    watch_drift(process, now)
    look_after_shadows(process, now)


def read_languages(process: Process) -> None:
    """Tell the languages of items that came since; a text that cannot be read is no reason to stop."""
    with process.database.read() as session:
        found = items_without_language(session, READ_AT_ONCE)
    if found:
        languages = {item_id: language_of(body) for item_id, body in found}
        with process.database.write(lasting=False) as session:
            keep_languages(session, languages)


def end_impossible_holds(process: Process, now: datetime) -> None:
    """Free what a worker took by a clock that was set back since; it would wait for as long as that."""
    with process.database.read() as session:
        ids = impossible_holds(session, now, process.settings.scoring_seconds)
    if ids:
        with process.database.write() as session:
            end_holds(session, ids)
        log.warning("freed %d submissions taken by a clock that was ahead", len(ids))


def wake_pending(process: Process, now: datetime) -> None:
    """Wake a worker if anything waits; harmless when one is at it already."""
    with process.database.read() as session:
        waiting = has_pending(session, now)
    if waiting:
        process.jobs.wake_scoring()


def wake_webhooks(process: Process, now: datetime) -> None:
    """Wake a worker for deliveries that are due: those just written, and those to be tried again."""
    with process.database.read() as session:
        due = has_due(session, now)
    if due:
        process.jobs.wake_webhooks()


def wake_proving(process: Process, now: datetime) -> None:
    """Wake a worker for promises that are to be proven: by new labels, for a new model or a new promise."""
    with process.database.read() as session:
        promising = promising_sites(session)
        if not promising:
            return
        due = sites_to_prove(session, promising, process.scorer.registry.champion(), now)
    if due:
        process.jobs.wake_proving()


def forget_deliveries(process: Process, now: datetime) -> None:
    """Delete deliveries finished long ago, some at a time."""
    with process.database.read() as session:
        old = has_old(session, now)
    while old:
        with process.database.write() as session:
            old = delete_old(session, now) == DELETED_AT_ONCE


def revive_runs(process: Process, now: datetime) -> None:
    """Enqueue again the retraining runs nobody works on; give up those that failed too often."""
    with process.database.read() as session:
        lost = [(run.id, run.attempts) for run in lost_runs(session, now)]
    for run_id, attempts in lost:
        if attempts < MOST_ATTEMPTS:
            process.jobs.enqueue_retraining(run_id)
            continue
        with process.database.write() as session:
            if take_run(session, run_id, now) is not None:
                finish_run(session, run_id, RunStatus.FAILED, f"given up after {attempts} attempts", now)


def look_after_shadows(process: Process, now: datetime) -> None:
    """End a shadow that has seen enough, and forget what one said that ended long ago."""
    with process.database.read() as session:
        shadow = open_shadow(session)
        because = None if shadow is None else reason_to_end(session, shadow, now)
        old = has_old_shadow(session, now)
    if shadow is not None and because is not None:
        with process.database.write() as session:
            end_shadow(session, shadow, SWEEPER, because, now)
        log.info("the shadow %s ends: %s", shadow.model_version, because)
    while old:
        with process.database.write() as session:
            old = forget_shadow(session, now)


def forget_idempotency_keys(process: Process, now: datetime) -> None:
    """Delete keys a day old, some at a time: their requests will not come again."""
    while _forget_some(process, now - IDEMPOTENCY_KEPT):
        pass


def keep_traces(process: Process, now: datetime) -> None:
    """Keep what the workers left of the texts they judged, so much a round that others get their turn."""
    for _ in range(FOLLOWED_STEPS):
        with process.database.read() as session:
            many = count_waiting(session, MANY_WAITING) == MANY_WAITING
            until = now - FOLLOWED_LATER if many else now
            if not anything_to_follow(session, until):
                return
            texts = texts_to_follow(session, until, FOLLOWED_AT_ONCE)
        # On SQLite nobody else writes during a write: it must not wait for texts to be read. A power failure
        # may take what is done again by the next round.
        read = _Read({text: _words(text) for text in texts})
        with process.database.write(lasting=False) as session:
            if not follow_decisions(session, read, until, FOLLOWED_AT_ONCE):
                return


def forget_old_traces(process: Process, now: datetime) -> None:
    """Delete some traces and memories that nobody asks for any more."""
    with process.database.read() as session:
        if not old_traces(session, now):
            return
    with process.database.write() as session:
        forget_traces(session, now, FORGOTTEN_AT_ONCE)
        forget_memories(session, now, FORGOTTEN_AT_ONCE)


@dataclass(frozen=True)
class _Read:
    """Texts that were read already; one that came in between is read now."""

    words: Mapping[str, Sequence[str]]

    def __call__(self, body: str) -> Sequence[str]:
        return self.words[body] if body in self.words else _words(body)


def _words(body: str) -> list[str]:
    try:
        return words_of(body)
    except Exception as error:
        # It would stop everything behind it; without an imprint it is only not found.
        log.error("a text left no imprint (%s)", type(error).__name__)  # noqa: TRY400 - one line says it all
        return []


def _forget_some(process: Process, before: datetime) -> bool:
    """Whether there may be more; keys that another sweeper is deleting are left to it."""
    old = select(*_KEY).where(IdempotencyKey.created_at < before).limit(FORGOTTEN_AT_ONCE)
    with process.database.read() as session:
        if session.execute(old.limit(1)).first() is None:
            return False
    with process.database.write() as session:
        keys = session.execute(old.with_for_update(skip_locked=True)).all()
        session.execute(delete(IdempotencyKey).where(tuple_(*_KEY).in_([tuple(key) for key in keys])))
    return len(keys) == FORGOTTEN_AT_ONCE
