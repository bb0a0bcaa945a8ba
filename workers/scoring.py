"""The drain job: score what waits, in batches, until nothing waits.

One job drains many comments, because a job costs RQ some 60 Redis commands while a comment in a batch
costs microseconds. Having found nothing it lingers, so that the next comment need not wait for another
job. Steps of a batch: take (commit), score (no transaction), record verdicts (commit). A worker that dies
in between leaves submissions that are free again after a while; a job that runs twice finds nothing left
to do.
"""

import logging
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from moderation.database import Unavailable
from moderation.domain.policy import PolicySettings, Verdict
from moderation.domain.rules import judge
from moderation.domain.spot_checks import checkable, is_drawn
from moderation.domain.status import Action
from moderation.judging import UNSCORED, Scored, each_scored
from moderation.scoring import ModelError, Scorer, words_of
from moderation.services.pending import (
    ATTEMPTS_AT_ALL,
    Judged,
    Taken,
    has_pending,
    look_back,
    policies_for,
    read_taken,
    record_verdicts,
    signals_for,
    sites_to_recall,
    take_pending,
)
from moderation.services.proofs import read_proofs
from moderation.services.taking import TakenIds
from moderation.services.traces import Traces, traces_of
from workers.batch_log import tell_batch
from workers.process import Process, duties, stopping, this_process
from workers.shadowing import Seen, follow

log = logging.getLogger(__name__)

# Long enough to pay for the job, short enough for RQ's bookkeeping and for a worker with other queues.
DRAIN_SECONDS = 20.0
# How long it waits for more before it ends, and how often meanwhile it looks for a reason to end at once.
LINGER_SECONDS = 5.0
LOOK_SECONDS = 0.2
# A comment that comes alone is taken at once. The more were waiting, the longer the next ones are left to
# gather: a commit for each few of them would take the disk away from those being accepted.
GATHER_SECONDS, MOST_GATHER_SECONDS = 0.002, 0.05


class Waited(Enum):
    """How it ended that a drain job waited for more."""

    FOR_A_COMMENT = 1
    WITH_ANOTHER = 2
    IN_VAIN = 3


@dataclass(frozen=True)
class Batch:
    """How many submissions were decided of how many taken, and whether more wait than one batch holds."""

    decided: int = 0
    taken: int = 0
    more: bool = False


def drain() -> int:
    """Score and judge what waits; gives the number of comments decided."""
    process = this_process()
    try:
        return drain_process(process, linger=0.0 if duties.burst else LINGER_SECONDS)
    except Exception as error:
        # The mark would keep everybody asleep until it ends by itself.
        process.jobs.fall_asleep()
        if not isinstance(error, Unavailable):
            raise
        # What was taken is free again after a while; the sweeper finds it and wakes somebody.
        log.error("the database cannot be used (%s); the sweeper will catch up", error)  # noqa: TRY400 - one line says it all
        return 0


def assist() -> int:
    """Help the drain job of another worker while more waits than one batch holds."""
    process, until, decided = this_process(), time.monotonic() + DRAIN_SECONDS, 0
    while not stopping.is_set() and time.monotonic() < until:
        batch = run_batch(process)
        decided += batch.decided
        if not batch.more:
            break
        process.jobs.wake_another()
    return decided


def drain_process(process: Process, *, linger: float = 0.0) -> int:
    """The drain job itself, on the process given."""
    name, until, decided = secrets.token_hex(8), time.monotonic() + DRAIN_SECONDS, 0
    waited: Waited | None = None
    while True:
        # Not between a comment and its decision: the mark of who waited for it is good for long enough.
        if waited is not Waited.FOR_A_COMMENT:
            process.jobs.stay_awake(name)
        waited = None
        batch = run_batch(process)
        decided += batch.decided
        if batch.more:
            process.jobs.wake_another()
        if stopping.is_set() or time.monotonic() > until:
            _hand_over(process)
            return decided
        if batch.taken > 1 and not batch.more and linger:
            stopping.wait(min(MOST_GATHER_SECONDS, GATHER_SECONDS * batch.taken))
        if batch.taken:
            continue
        waited = _linger(process, name, min(until, time.monotonic() + linger))
        if waited is Waited.IN_VAIN and not _look_once_more(process):
            return decided
        if waited is Waited.WITH_ANOTHER:
            return decided


def run_batch(process: Process) -> Batch:
    """Take, score and judge one batch."""
    found = _take(process)
    if not found.ids:
        return Batch()
    started = time.monotonic()
    verdicts, seen = _judge(process, found.ids)
    judged = time.monotonic()
    with process.database.write() as session:
        decided = record_verdicts(session, verdicts, datetime.now(UTC), process.settings.due_hours)
    tell_batch(found.ids, decided, judged - started, time.monotonic() - judged)
    follow(process, seen, decided)
    return Batch(len(decided), len(found.ids), found.more)


def _judge(process: Process, ids: Sequence[str]) -> tuple[list[Judged], Seen]:
    """Everything that needs no write: others may write meanwhile. Gives also what the verdicts rest on."""
    now = datetime.now(UTC)
    with process.database.read() as session:
        taken = read_taken(session, ids, now)
        policies = policies_for(session, taken)
        recalling = sites_to_recall(session, policies)
        traces = [read_traces(t, words=t.site_id in recalling) for t in taken]
        past = look_back(session, traces, policies, now)
        proofs = read_proofs(session, policies)
    scored = judge_batch(process.scorer, taken)
    verdicts = [
        judge(
            signals_for(t, scores, points, now, past, proofs.get((t.site_id, version))), policies[t.site_id]
        )
        for t, (scores, points, version) in zip(taken, scored, strict=True)
    ]
    judged = [
        Judged(
            t,
            verdict,
            scores,
            version,
            _kept_now(t, verdict, read),
            _chance(t, verdict, policies[t.site_id], process.settings.spot_check_share),
        )
        for t, verdict, (scores, _, version), read in zip(taken, verdicts, scored, traces, strict=True)
    ]
    return judged, Seen(now, taken, scored, policies, past)


def _chance(taken: Taken, verdict: Verdict, policy: PolicySettings, otherwise: float) -> float | None:
    share = otherwise if policy.spot_check_share is None else policy.spot_check_share
    return share if checkable(verdict) and is_drawn(taken.submission_id, share) else None


def _kept_now(taken: Taken, verdict: Verdict, traces: Traces) -> Traces | None:
    """The desk needs the traces of what is held; those of the rest can wait (see services/traces.py)."""
    if verdict.outcome is not Action.HOLD:
        return None
    return traces if traces.imprint else read_traces(taken)


def read_traces(taken: Taken, *, words: bool = True) -> Traces:
    """What is kept of the text; without it less is found, but the comment is judged all the same."""
    try:
        read = words_of(taken.body) if words else None
        return traces_of(taken.submission_id, taken.site_id, taken.body, taken.author, read)
    except Exception as error:
        log.error("left no traces (%s)", type(error).__name__, extra=_of(taken))  # noqa: TRY400 - one line says it all
        return Traces(taken.submission_id, taken.site_id)


def judge_batch(scorer: Scorer, taken: Sequence[Taken]) -> list[Scored]:
    """Scores for each submission, None where there are none: a bad comment must not fail its neighbours."""
    if any(t.attempts > ATTEMPTS_AT_ALL for t in taken):
        log.error("given up after %d attempts", taken[0].attempts, extra=_of(taken[0]))
        return [UNSCORED] * len(taken)
    try:
        return each_scored(scorer.score([t.as_comment() for t in taken]))
    except ModelError as error:
        log.error("no model: %s", error)  # noqa: TRY400 - one line says it all
        return [UNSCORED] * len(taken)
    except Exception as error:
        if len(taken) == 1:
            log.error("could not be scored (%s)", type(error).__name__, extra=_of(taken[0]))  # noqa: TRY400 - one line says it all
            return [UNSCORED]
    return [one for t in taken for one in judge_batch(scorer, [t])]


def _of(taken: Taken) -> dict[str, str]:
    return {"submission_id": taken.submission_id, "comment_id": taken.comment_id}


def _take(process: Process) -> TakenIds:
    settings = process.settings
    # Good for seconds only: whether a power failure takes it does not matter.
    with process.database.write(lasting=False) as session:
        return take_pending(
            session,
            datetime.now(UTC),
            most=settings.batch_comments,
            most_bytes=settings.batch_bytes,
            seconds=settings.scoring_seconds,
        )


def _linger(process: Process, name: str, until: float) -> Waited:
    """Wait for another comment to be accepted, until there is a reason to end."""
    while time.monotonic() < until and not stopping.is_set():
        poked = process.jobs.wait_for_poke(LOOK_SECONDS)
        if poked is None:
            break
        if poked:
            return Waited.FOR_A_COMMENT
        if not process.jobs.linger_on(name):
            # Its name was written since ours: it is alive, it looks after all that comes.
            return Waited.WITH_ANOTHER
    return Waited.IN_VAIN


def _look_once_more(process: Process) -> bool:
    """Clear the mark, then look again: a comment accepted in between saw the mark and woke nobody."""
    process.jobs.fall_asleep()
    with process.database.read() as session:
        if not has_pending(session, datetime.now(UTC)):
            return False
    # Someone else may have been woken by now; then it is theirs.
    return process.jobs.wake_oneself()


def _hand_over(process: Process) -> None:
    process.jobs.fall_asleep()
    with process.database.read() as session:
        waiting = has_pending(session, datetime.now(UTC))
    if waiting:
        process.jobs.wake_scoring()
