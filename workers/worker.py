"""The worker: an RQ worker that drains in its own process and forks for everything else.

Scoring in the process that loaded the model saves a fork, a model copy and most of the latency; RQ's
forking, which would isolate a crash, is replaced by the count of attempts each submission keeps.
Retraining does fork: its memory goes back with the child, and a crash there ends only the run.
"""

import logging
from collections.abc import Sequence
from types import FrameType
from typing import Any

from redis import Redis
from rq import Queue, SimpleWorker, Worker
from rq.job import Job
from rq.serializers import JSONSerializer

from moderation.jobs import SCORING, worker_connection
from workers.process import Process, duties, stopping, this_process

log = logging.getLogger(__name__)


class GreenroomWorker(Worker):
    """Runs scoring jobs in this process, the others in a forked one."""

    # How long it may sleep before it tries a lost Redis again; RQ's own minute is long for who waits.
    max_connection_wait_time = 5.0

    def execute_job(self, job: Job, queue: Queue) -> None:
        if queue.name == SCORING:
            # RQ's in-process worker shares every other method with this class.
            SimpleWorker.execute_job(self, job, queue)  # type: ignore[arg-type]
        else:
            super().execute_job(job, queue)

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        # The child must not use connections that belong to the parent.
        this_process().database.engine.dispose(close=False)
        this_process().jobs.redis.connection_pool.reset()
        super().main_work_horse(job, queue)

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        stopping.set()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]


def run_worker(queues: Sequence[str], *, burst: bool = False) -> None:
    """Work on these queues until told to stop."""
    process = this_process()
    duties.other_queues, duties.burst = tuple(name for name in queues if name != SCORING), burst
    if SCORING in queues:
        _load_model(process)
        # The mark may be that of a worker that died, and this one its successor.
        process.jobs.look_now()
    connection = worker_connection(process.settings.redis_url)
    worker = GreenroomWorker(
        _queues(queues, connection),
        connection=connection,
        serializer=JSONSerializer,
        log_job_description=False,
    )
    # RQ logs several lines a job at INFO; ours says what a batch did in one.
    worker.work(burst=burst, logging_level="WARNING")


def _queues(names: Sequence[str], connection: Redis) -> list[Any]:
    return [Queue(name, connection=connection, serializer=JSONSerializer) for name in names]


def _load_model(process: Process) -> None:
    # With the job itself, so that the first comment does not wait for an import.
    from moderation.scoring import ModelError
    from workers import scoring  # noqa: F401

    try:
        log.info("model %s loaded", process.scorer.current().version)
    except ModelError as error:
        # Comments are held as unscored until there is one; that is better than not working at all.
        log.error("no model: %s", error)  # noqa: TRY400 - one line says it all
