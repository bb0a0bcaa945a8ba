"""The one place in this package that enqueues: jobs are named, never imported, and carry ids at most.

Redis is a wake-up call. Every function here answers False when Redis cannot be reached, and nothing is
lost by it: the sweeper finds in the database what was not woken.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.serializers import JSONSerializer

from moderation.redis_connection import REQUEST_SECONDS, WORKER_SECONDS, Breaker, connect

SCORING = "scoring"
RETRAINING = "retraining"
QUEUES = (SCORING, RETRAINING)

# While this key lives a drain job is queued or at work and no other one is needed. It ends by itself,
# should the worker die with it.
AWAKE = "greenroom:scoring:awake"
AWAKE_SECONDS = 10
DRAIN_TIMEOUT_SECONDS = 60
RETRAINING_TIMEOUT_SECONDS = 3600
FAILURE_SECONDS = 3600


@dataclass(frozen=True)
class QueueState:
    """A queue of jobs: how many wait, how many failed lately, and how many workers serve it."""

    name: str
    waiting: int
    failed: int
    workers: int


@dataclass
class Jobs:
    """A connection for enqueueing, with short time-outs: a request must not wait for a lost Redis."""

    redis: Redis
    breaker: Breaker = field(default_factory=Breaker)

    def wake_scoring(self) -> bool:
        """See to it that a drain job runs soon; one is enough however many comments wait."""
        return self._try(self._wake_scoring)

    def enqueue_retraining(self, run_id: str) -> bool:
        """Queue the job of a retraining run."""
        return self._try(lambda: self._enqueue_retraining(run_id))

    def ping(self) -> bool:
        """Whether Redis answers."""
        try:
            return bool(self.redis.ping())
        except (RedisError, OSError):
            return False

    def queues(self) -> "list[QueueState] | None":
        """What Redis knows of each queue; None when it cannot be reached."""
        try:
            return [self._state(name) for name in QUEUES]
        except (RedisError, OSError):
            return None

    def _state(self, name: str) -> "QueueState":
        queue = Queue(name, connection=self.redis, serializer=JSONSerializer)
        alive = Worker.all(connection=self.redis, queue=queue, serializer=JSONSerializer)
        return QueueState(name, queue.count, queue.failed_job_registry.count, len(alive))

    def _wake_scoring(self) -> None:
        if self.redis.set(AWAKE, "1", nx=True, ex=AWAKE_SECONDS):
            self._enqueue(SCORING, "workers.scoring.drain", (), DRAIN_TIMEOUT_SECONDS)

    def _enqueue_retraining(self, run_id: str) -> None:
        self._enqueue(RETRAINING, "workers.retraining.retrain", (run_id,), RETRAINING_TIMEOUT_SECONDS)

    def _enqueue(self, queue: str, job: str, args: tuple[str, ...], timeout: int) -> None:
        Queue(queue, connection=self.redis, serializer=JSONSerializer).enqueue_call(
            job, args=args, timeout=timeout, result_ttl=0, failure_ttl=FAILURE_SECONDS
        )

    def _try(self, enqueue: Callable[[], None]) -> bool:
        def tried() -> bool:
            enqueue()
            return True

        return self.breaker.call(tried, otherwise=lambda: False)


def open_jobs(redis_url: str) -> Jobs:
    """A connection that is made on first use."""
    return Jobs(connect(redis_url, connect_seconds=REQUEST_SECONDS, answer_seconds=REQUEST_SECONDS))


def worker_connection(redis_url: str) -> Redis:
    """A connection for a worker, which waits for jobs without a time-out of its own."""
    return connect(redis_url, connect_seconds=WORKER_SECONDS)
