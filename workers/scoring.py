"""The drain job: score what waits, in batches, until nothing waits.

One job drains many comments, because a job costs RQ some 60 Redis commands while a comment in a batch
costs microseconds. Steps of a batch: take (commit), score (no transaction), record verdicts (commit). A
worker that dies in between leaves submissions that are free again after a while; a job that runs twice
finds nothing left to do.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from redis.exceptions import RedisError

from moderation.database import Unavailable
from moderation.domain.policy import Threshold
from moderation.domain.rules import judge
from moderation.jobs import AWAKE, AWAKE_SECONDS
from moderation.scoring import ModelError, Scorer, Scores
from moderation.services.pending import (
    ATTEMPTS_AT_ALL,
    Judged,
    Taken,
    has_pending,
    policies_for,
    read_taken,
    record_verdicts,
    signals_for,
    take_pending,
)
from workers.batch_log import tell_batch
from workers.process import Process, stopping, this_process

log = logging.getLogger(__name__)

# Long enough to pay for the job, short enough for RQ's bookkeeping and for a worker with other queues.
DRAIN_SECONDS = 20.0


def drain() -> int:
    """Score and judge what waits; gives the number of comments decided."""
    process = this_process()
    try:
        return drain_process(process)
    except Unavailable as error:
        # What was taken is free again after a while; the sweeper finds it and wakes somebody.
        log.error("the database cannot be used (%s); the sweeper will catch up", error)  # noqa: TRY400
        _redis(lambda: process.jobs.redis.delete(AWAKE))
        return 0


def drain_process(process: Process) -> int:
    """The job itself, on the process given."""
    started = time.monotonic()
    decided = 0
    while True:
        batch_decided, taken = run_batch(process)
        decided += batch_decided
        if taken:
            _stay_awake(process)
        elif not _look_once_more(process):
            return decided
        if stopping.is_set() or time.monotonic() - started > DRAIN_SECONDS:
            _hand_over(process)
            return decided


def run_batch(process: Process) -> tuple[int, int]:
    """Take, score and judge one batch; gives how many were decided and how many taken."""
    ids = _take(process)
    if not ids:
        return 0, 0
    started = time.monotonic()
    verdicts = _judge(process, ids)
    judged = time.monotonic()
    with process.database.write() as session:
        decided = record_verdicts(session, verdicts, datetime.now(UTC), process.settings.due_hours)
    tell_batch(ids, decided, judged - started, time.monotonic() - judged)
    return len(decided), len(ids)


def _judge(process: Process, ids: Sequence[str]) -> list[Judged]:
    """Everything that needs no write: others may write meanwhile."""
    now = datetime.now(UTC)
    with process.database.read() as session:
        taken = read_taken(session, ids, now)
        policies = policies_for(session, taken)
    scored = judge_batch(process.scorer, taken)
    return [
        Judged(t, judge(signals_for(t, scores, points, now), policies[t.site_id]), scores, version)
        for t, (scores, points, version) in zip(taken, scored, strict=True)
    ]


Scored = tuple[Mapping[str, float] | None, Mapping[str, Threshold], str | None]
_UNSCORED: Scored = (None, {}, None)


def judge_batch(scorer: Scorer, taken: Sequence[Taken]) -> list[Scored]:
    """Scores for each submission, None where there are none: a bad comment must not fail its neighbours."""
    if any(t.attempts > ATTEMPTS_AT_ALL for t in taken):
        log.error("given up after %d attempts", taken[0].attempts, extra=_of(taken[0]))
        return [_UNSCORED] * len(taken)
    try:
        return _scored(scorer.score([t.as_comment() for t in taken]))
    except ModelError as error:
        log.error("no model: %s", error)  # noqa: TRY400 - one line says it all
        return [_UNSCORED] * len(taken)
    except Exception as error:
        if len(taken) == 1:
            log.error("could not be scored (%s)", type(error).__name__, extra=_of(taken[0]))  # noqa: TRY400 - one line says it all
            return [_UNSCORED]
    return [one for t in taken for one in judge_batch(scorer, [t])]


def _of(taken: Taken) -> dict[str, str]:
    return {"submission_id": taken.submission_id, "comment_id": taken.comment_id}


def _take(process: Process) -> list[str]:
    settings = process.settings
    with process.database.write() as session:
        return take_pending(
            session,
            datetime.now(UTC),
            most=settings.batch_comments,
            most_bytes=settings.batch_bytes,
            seconds=settings.scoring_seconds,
        )


def _scored(scores: Scores) -> list[Scored]:
    return [(row, scores.operating_points, scores.model_version) for row in scores.rows]


def _stay_awake(process: Process) -> None:
    _redis(lambda: process.jobs.redis.set(AWAKE, "1", ex=AWAKE_SECONDS))


def _look_once_more(process: Process) -> bool:
    """Clear the mark, then look again: a comment accepted in between saw the mark and woke nobody."""
    _redis(lambda: process.jobs.redis.delete(AWAKE))
    with process.database.read() as session:
        if not has_pending(session, datetime.now(UTC)):
            return False
    # Someone else may have been woken by now; then it is theirs.
    return bool(_redis(lambda: process.jobs.redis.set(AWAKE, "1", nx=True, ex=AWAKE_SECONDS)))


def _hand_over(process: Process) -> None:
    _redis(lambda: process.jobs.redis.delete(AWAKE))
    with process.database.read() as session:
        waiting = has_pending(session, datetime.now(UTC))
    if waiting:
        process.jobs.wake_scoring()


def _redis(call: Any) -> Any:
    """Redis may be away; the database says what is to be done all the same."""
    try:
        return call()
    except (RedisError, OSError):
        return None
