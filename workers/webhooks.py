"""The delivery job: endpoints take turns, each on a thread, so that a slow one delays only itself."""

import logging
import random
import secrets
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime

from moderation import metrics
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
from workers.webhook_sending import Sender

log = logging.getLogger(__name__)

# Endpoints served at the same time.
ABREAST = 16
# An endpoint has had its turn after so many deliveries or seconds.
TURN_DELIVERIES, TURN_SECONDS = 50, 20.0
# The job ends then and another begins, well before RQ's time limit.
JOB_SECONDS = 60.0
LOOK_SECONDS = 0.25


def deliver() -> None:
    """The job: deliver what is due."""
    deliver_due(this_process())


def deliver_due(process: Process, sender: Sender | None = None) -> int:
    """Deliver until nothing is due that nobody is at, or it is time for another job; how many tries."""
    sender = sender or Sender(private=process.settings.webhook_private)
    ends, tries = time.monotonic() + JOB_SECONDS, 0
    running: dict[Future[int], str] = {}
    with ThreadPoolExecutor(ABREAST, thread_name_prefix="webhook") as pool:
        while True:
            if time.monotonic() < ends:
                for endpoint_id in _next_endpoints(process, set(running.values()), ABREAST - len(running)):
                    running[pool.submit(_turn, process, sender, endpoint_id)] = endpoint_id
            if not running:
                break
            done, _ = wait(running, timeout=LOOK_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                del running[future]
                tries += future.result()
    if time.monotonic() >= ends:
        process.jobs.wake_webhooks()
    return tries


def _next_endpoints(process: Process, busy: set[str], most: int) -> list[str]:
    if most <= 0:
        return []
    with process.database.read() as session:
        return list(due_endpoints(session, datetime.now(UTC), most, busy))


def _turn(process: Process, sender: Sender, endpoint_id: str) -> int:
    """An endpoint's turn, if no other worker has it; how many tries were made."""
    worker, ends, tries = secrets.token_hex(8), time.monotonic() + TURN_SECONDS, 0
    with process.database.write() as session:
        if not take_endpoint(session, endpoint_id, worker, datetime.now(UTC)):
            return 0
    while tries < TURN_DELIVERIES and time.monotonic() < ends:
        with process.database.write() as session:
            errand = next_errand(session, endpoint_id, worker, datetime.now(UTC))
        if errand is None:
            break
        _try(process, sender, errand)
        tries += 1
    with process.database.write() as session:
        release_endpoint(session, endpoint_id, worker)
    return tries


def _try(process: Process, sender: Sender, errand: Errand) -> None:
    answer = send(sender, errand, process.settings.secret_key)
    with process.database.write() as session:
        # Jitter, not a secret.
        outcome = record_answer(session, errand, answer, random.random(), datetime.now(UTC))  # noqa: S311
    metrics.add(metrics.WEBHOOKS, outcome.name)
    if outcome.disabled is not None:
        metrics.add(metrics.WEBHOOKS_DISABLED, outcome.disabled)
        told = {"endpoint_id": errand.endpoint_id}
        log.warning("an endpoint was disabled (%s)", outcome.disabled, extra=told)


def send(sender: Sender, errand: Errand, key: bytes) -> Answer:
    """One signed request, now."""
    body = errand.body.encode()
    signing = [webhook_secret(salt, key) for salt in errand.salts]
    headers = webhook_headers(errand.delivery_id, int(time.time()), body, signing)
    return sender.send(errand.url, headers, body)
