"""The one place in this package that enqueues: jobs are named, never imported, and carry ids at most.

Redis is a wake-up call. Every function here answers False when Redis cannot be reached, and nothing is
lost by it: the sweeper finds in the database what was not woken.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.serializers import JSONSerializer

from moderation.redis_connection import REQUEST_SECONDS, WORKER_SECONDS, Breaker, connect

SCORING = "scoring"
RETRAINING = "retraining"
WEBHOOKS = "webhooks"
QUEUES = (SCORING, RETRAINING, WEBHOOKS)

# While this key lives a drain job is queued or at work and no other one is needed. It ends by itself,
# should the worker die with it.
AWAKE = "greenroom:scoring:awake"
AWAKE_SECONDS = 10
# How the ids of drain jobs begin: in the queue they are told by it from those that only assist.
DRAIN_ID = "drain-"
# What the mark says until a drain job puts its name there.
NOBODY = "-"
LINGER_MARK_SECONDS = 2
# A list of one at most: what a drain job waits on when it found nothing to do.
POKE = "greenroom:scoring:poke"
DRAIN_TIMEOUT_SECONDS = 60
RETRAINING_TIMEOUT_SECONDS = 3600
PROVING_ID = "proving"
PROVING_TIMEOUT_SECONDS = 300
WEBHOOKS_TIMEOUT_SECONDS = 300
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

    def wake_another(self) -> bool:
        """See to it that another worker helps, if there is one: more waits than one batch holds."""
        return self._try(self._wake_another)

    def look_now(self) -> bool:
        """Queue a drain job whatever the mark says: it may be that of a worker that died."""
        return self._try(self._enqueue_drain)

    def stay_awake(self, name: str) -> bool:
        """A drain job is about to look at all that was committed: what poked it until now is seen to.

        False if another one is awake too and goes on, so that this one need not.
        """
        return self._sign(name, AWAKE_SECONDS, POKE)

    def linger_on(self, name: str) -> bool:
        """The same while it waits for a poke. Its mark ends soon after it, should it die."""
        return self._sign(name, LINGER_MARK_SECONDS)

    def fall_asleep(self) -> bool:
        """From now on the next comment queues a drain job."""
        return self._try(lambda: self.redis.delete(AWAKE))

    def wake_oneself(self) -> bool:
        """Be the drain job that runs, unless another one was queued."""
        try:
            return bool(self.redis.set(AWAKE, NOBODY, nx=True, ex=AWAKE_SECONDS))
        except (RedisError, OSError):
            return False

    def wait_for_poke(self, seconds: float) -> bool | None:
        """Wait for a comment to be accepted; whether one was, None if Redis cannot tell."""
        try:
            return self.redis.blpop([POKE], timeout=seconds) is not None
        except (RedisError, OSError):
            return None

    def enqueue_retraining(self, run_id: str) -> bool:
        """Queue the job of a retraining run."""
        return self._try(lambda: self._enqueue_retraining(run_id))

    def wake_proving(self) -> bool:
        """See to it that promises are proven anew; one job looks after every site."""
        return self._try(self._wake_proving)

    def wake_webhooks(self) -> bool:
        """See to it that a delivery job runs soon; one that waits already will look at all that is due."""
        return self._try(self._wake_webhooks)

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

    def _sign(self, name: str, seconds: int, *poked: str) -> bool:
        """Put one's name on the mark; of two that do so in turns, the lower name goes on."""
        pipeline = self.redis.pipeline(transaction=False)
        pipeline.set(AWAKE, name, ex=seconds, get=True)
        if poked:
            pipeline.delete(*poked)
        found: list[Any] = []
        self._try(lambda: found.extend(pipeline.execute()))
        before = found[0].decode() if found and found[0] else NOBODY
        return before == NOBODY or before >= name

    def _wake_scoring(self) -> None:
        pipeline = self.redis.pipeline(transaction=False)
        pipeline.set(AWAKE, NOBODY, nx=True, ex=AWAKE_SECONDS)
        pipeline.lpush(POKE, "1")
        pipeline.ltrim(POKE, 0, 0)
        nobody_was_awake, *_ = pipeline.execute()
        if nobody_was_awake:
            self._enqueue_drain()

    def _wake_another(self) -> None:
        queue = self._queue(SCORING)
        if Worker.count(queue=queue) > 1 and not queue.count:
            self._enqueue(SCORING, "workers.scoring.assist", (), DRAIN_TIMEOUT_SECONDS)

    def _enqueue_drain(self) -> None:
        # One that is queued already will look at all that was committed before it begins, and stay awake
        # for what comes after; one that only assists would not.
        if not any(job_id.startswith(DRAIN_ID) for job_id in self._queue(SCORING).job_ids):
            job_id = DRAIN_ID + secrets.token_hex(8)
            self._enqueue(SCORING, "workers.scoring.drain", (), DRAIN_TIMEOUT_SECONDS, job_id)

    def _enqueue_retraining(self, run_id: str) -> None:
        self._enqueue(RETRAINING, "workers.retraining.retrain", (run_id,), RETRAINING_TIMEOUT_SECONDS)

    def _wake_proving(self) -> None:
        if PROVING_ID not in self._queue(RETRAINING).job_ids:
            self._enqueue(RETRAINING, "workers.proving.prove", (), PROVING_TIMEOUT_SECONDS, PROVING_ID)

    def _wake_webhooks(self) -> None:
        if not self._queue(WEBHOOKS).count:
            self._enqueue(WEBHOOKS, "workers.webhooks.deliver", (), WEBHOOKS_TIMEOUT_SECONDS)

    def _enqueue(
        self, queue: str, job: str, args: tuple[str, ...], timeout: int, job_id: str | None = None
    ) -> None:
        self._queue(queue).enqueue_call(
            job, args=args, timeout=timeout, result_ttl=0, failure_ttl=FAILURE_SECONDS, job_id=job_id
        )

    def _queue(self, name: str) -> Queue:
        return Queue(name, connection=self.redis, serializer=JSONSerializer)

    def _try(self, enqueue: Callable[[], Any]) -> bool:
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
