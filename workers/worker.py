"""The worker of one queue: an RQ worker that drains in its own process and forks for everything else.

Scoring in the process that loaded the model saves a fork, a model copy and most of the latency; RQ's
forking, which would isolate a crash, is replaced by the count of attempts each submission keeps.
Retraining does fork: its memory goes back with the child, and a crash there ends only the run.
"""

import logging
from types import FrameType
from typing import Any

from rq import Queue, SimpleWorker, Worker
from rq.job import Job
from rq.serializers import JSONSerializer

from moderation import logs
from moderation.jobs import SCORING, worker_connection
from workers.process import Process, duties, stopping, this_process

log = logging.getLogger(__name__)

# A worker shows itself this often or a little more, and counts as dead a minute after it should have: RQ's
# own seven minutes are too long for `/readyz` to believe in a worker that was killed.
ALIVE_SECONDS = 60


class GreenroomWorker(Worker):
    """Runs scoring jobs in this process, the others in a forked one."""

    # How long it may sleep before it tries a lost Redis again; RQ's own minute is long for who waits.
    max_connection_wait_time = 5.0

    def execute_job(self, job: Job, queue: Queue) -> None:
        with logs.bound(job_id=job.id, queue=queue.name):
            if queue.name == SCORING:
                # RQ's in-process worker shares every other method with this class.
                SimpleWorker.execute_job(self, job, queue)  # type: ignore[arg-type]
            else:
                super().execute_job(job, queue)

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        # Instead of RQ's own line, which quotes the error's message: it may hold comment text.
        told = {"job_id": job.id, "queue": job.origin, **logs.told(exc_info[1])}
        log.error("the job failed (%s)", told["error"], extra=told)

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        # The child must not use connections that belong to the parent.
        this_process().database.engine.dispose(close=False)
        this_process().jobs.redis.connection_pool.reset()
        super().main_work_horse(job, queue)

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        stopping.set()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]


def run_worker(queue: str, *, burst: bool = False) -> None:
    """Work on one queue until told to stop.

    Never on two: RQ waits for a forked job to end, and comments would wait with it for a retraining.
    """
    process = this_process()
    duties.burst = burst
    if queue == SCORING:
        _load_model(process)
        # The mark may be that of a worker that died, and this one its successor.
        process.jobs.look_now()
    connection = worker_connection(process.settings.redis_url)
    worker = GreenroomWorker(
        [Queue(queue, connection=connection, serializer=JSONSerializer)],
        connection=connection,
        serializer=JSONSerializer,
        log_job_description=False,
        worker_ttl=ALIVE_SECONDS,
    )
    # RQ logs several lines a job at INFO; ours says what a batch did in one.
    worker.work(burst=burst, logging_level="WARNING")


def _load_model(process: Process) -> None:
    # With the job itself, so that the first comment does not wait for an import.
    from moderation.scoring import ModelError
    from workers import scoring  # noqa: F401

    try:
        log.info("model %s loaded", process.scorer.current().version)
    except ModelError as error:
        # Comments are held as unscored until there is one; that is better than not working at all.
        log.error("no model: %s", error)  # noqa: TRY400 - one line says it all
