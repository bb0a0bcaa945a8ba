"""Waiting for a decision: by polling the database, which works whatever became of Redis."""

import time

from moderation.api.service import service
from moderation.domain.status import Status
from moderation.services.published import comment_status

SHORTEST_POLL, LONGEST_POLL = 0.004, 0.1


def wait_for_decision(comment_id: str, seconds: float) -> tuple[Status, str | None]:
    """Look again and again until the comment is decided or the time is up; status and reason.

    Each wait occupies a thread. When too many wait already, this one only looks once.
    """
    waiting = service().waiting.acquire(blocking=False)
    try:
        deadline = time.monotonic() + (seconds if waiting else 0.0)
        pause = SHORTEST_POLL
        while True:
            with service().database.read() as session:
                status, reason = comment_status(session, comment_id)
            if status is not Status.PENDING or time.monotonic() >= deadline:
                return status, reason
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_POLL)
    finally:
        if waiting:
            service().waiting.release()
