"""The delivery job: endpoints take turns, each on a thread, so that slow ones delay only one another.

Who waited longest for a turn is next. Endpoints that were slow last time share a few of the places, and a try
that turns out slow gives up its place, so that also many that hang for the first time hold up nobody.
"""

import logging
import random
import secrets
import time
from collections.abc import Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from moderation import metrics
from moderation.domain.webhooks import SLOW_SECONDS
from moderation.services.webhook_deliveries import (
    Answer,
    Errand,
    due_endpoints,
    next_errand,
    record_answer,
    release_endpoint,
    take_endpoint,
)
from moderation.webhook_signing import webhook_headers, webhook_secret
from workers.process import Process, this_process
from workers.webhook_sending import TOTAL_SECONDS, Sender

log = logging.getLogger(__name__)

# Endpoints served at the same time, and how many of them may be known to be slow.
ABREAST, SLOW_ABREAST = 12, 4
# With the tries that gave up their place; so many endpoints must hang for the first time to delay others.
MOST_THREADS = 40
# An endpoint has had its turn after so many deliveries or seconds, or one slow try.
TURN_DELIVERIES, TURN_SECONDS = 50, 5.0
# The job ends then and another begins, well before RQ's time limit.
JOB_SECONDS = 60.0
LOOK_SECONDS = 0.25


@dataclass
class Turn:
    """An endpoint's turn on a thread: whether it was known to be slow, and since when a try is on its way."""

    endpoint_id: str
    slow: bool
    trying_since: float | None = None

    def drags(self) -> bool:
        """Whether it is slow, as known before or as it turns out."""
        since = self.trying_since
        return self.slow or (since is not None and time.monotonic() - since >= SLOW_SECONDS)


def deliver() -> None:
    """The job: deliver what is due."""
    deliver_due(this_process())


def deliver_due(process: Process, sender: Sender | None = None) -> int:
    """Deliver until nothing is due that nobody is at, or it is time for another job; how many tries."""
    sender = sender or Sender(private=process.settings.webhook_private)
    ends, tries = time.monotonic() + JOB_SECONDS, 0
    running: dict[Future[int], Turn] = {}
    with ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="webhook") as pool:
        while True:
            for turn in _next_turns(process, running.values(), ends - time.monotonic()):
                running[pool.submit(_take_turn, process, sender, turn)] = turn
            if not running:
                break
            done, _ = wait(running, timeout=LOOK_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                del running[future]
                tries += future.result()
    if time.monotonic() >= ends:
        process.jobs.wake_webhooks()
    return tries


def _next_turns(process: Process, running: Collection[Turn], left: float) -> list[Turn]:
    """Who is next, slow ones first: they have places of their own, and the others all that is left."""
    if left <= 0:
        return []
    dragging = sum(turn.drags() for turn in running)
    # The next job must not wait for who hangs to the last.
    slow = SLOW_ABREAST - dragging if left > TOTAL_SECONDS else 0
    turns = list(_due_turns(process, running, slow, slow=True))
    # Of those that drag only these hold places; the others gave theirs up.
    holding = len(running) - max(0, dragging - SLOW_ABREAST)
    places = min(ABREAST - holding, MOST_THREADS - len(running)) - len(turns)
    return [*turns, *_due_turns(process, running, places, slow=False)]


def _due_turns(process: Process, running: Collection[Turn], most: int, *, slow: bool) -> Iterator[Turn]:
    if most <= 0:
        return
    busy = {turn.endpoint_id for turn in running}
    with process.database.read() as session:
        found = due_endpoints(session, datetime.now(UTC), most, busy, slow=slow)
    yield from (Turn(endpoint_id, slow) for endpoint_id in found)


def _take_turn(process: Process, sender: Sender, turn: Turn) -> int:
    """An endpoint's turn; one that fails is no reason to serve no others."""
    try:
        return _serve(process, sender, turn)
    except Exception as error:
        # It stays taken for a while, which keeps it from failing again at once.
        told = {"endpoint_id": turn.endpoint_id}
        log.error("a turn failed (%s)", type(error).__name__, extra=told)  # noqa: TRY400 - may hold a body
        return 0


def _serve(process: Process, sender: Sender, turn: Turn) -> int:
    """Deliver to an endpoint, if no other worker has it; how many tries were made."""
    endpoint_id, worker = turn.endpoint_id, secrets.token_hex(8)
    ends, tries = time.monotonic() + TURN_SECONDS, 0
    with process.database.write() as session:
        if not take_endpoint(session, endpoint_id, worker, datetime.now(UTC)):
            return 0
    while tries < TURN_DELIVERIES and time.monotonic() < ends:
        with process.database.write() as session:
            errand = next_errand(session, endpoint_id, worker, datetime.now(UTC))
        if errand is None:
            break
        tries += 1
        if _try(process, sender, errand, turn) >= SLOW_SECONDS:
            break
    with process.database.write() as session:
        release_endpoint(session, endpoint_id, worker)
    return tries


def _try(process: Process, sender: Sender, errand: Errand, turn: Turn) -> float:
    """How many seconds it took."""
    turn.trying_since = began = time.monotonic()
    answer = send(sender, errand, process.settings.secret_key)
    answer = replace(answer, seconds=time.monotonic() - began)
    turn.trying_since = None
    with process.database.write() as session:
        # Jitter, not a secret.
        outcome = record_answer(session, errand, answer, random.random(), datetime.now(UTC))  # noqa: S311
    metrics.add(metrics.WEBHOOKS, outcome.name)
    if outcome.disabled is not None:
        metrics.add(metrics.WEBHOOKS_DISABLED, outcome.disabled)
        told = {"endpoint_id": errand.endpoint_id}
        log.warning("an endpoint was disabled (%s)", outcome.disabled, extra=told)
    return answer.seconds


def send(sender: Sender, errand: Errand, key: bytes) -> Answer:
    """One signed request, now."""
    body = errand.body.encode()
    signing = [webhook_secret(salt, key) for salt in errand.salts]
    headers = webhook_headers(errand.delivery_id, int(time.time()), body, signing)
    return sender.send(errand.url, headers, body)
