"""What the service needs, part by part: `/readyz` and `greenroom doctor` say the same by it.

Without its database, or with tables older than its code, a web server cannot accept a comment: unavailable.
Without Redis, a worker or a model comments are accepted and wait, or are held: degraded. A load balancer
that took the web servers out of service for that would make an outage of it.
"""

from typing import Any, Protocol

from moderation import migrate
from moderation.database import Database
from moderation.jobs import SCORING, Jobs
from moderation.scoring import ModelError

OK, DEGRADED, UNAVAILABLE = "ok", "degraded", "unavailable"
TO_ACCEPT = ("database", "migrations")
# What a web server is ready with; workers are processes of their own.
NEEDED = (*TO_ACCEPT, "redis", "model")


class HasModel(Protocol):
    """Whatever can give the model in force, or raise ModelError."""

    def current(self) -> Any: ...


def parts(database: Database, jobs: Jobs, scorer: HasModel) -> dict[str, str]:
    """Each part, "ok" or what is wrong with it; never a name of a file or host, for everybody may ask."""
    trouble = database.trouble()
    queues = jobs.queues()
    return {
        "database": OK if trouble is None else f"cannot be used ({trouble})",
        "migrations": _migrations(database) if trouble is None else "unknown",
        "redis": "cannot be reached" if queues is None else OK,
        "workers": "unknown" if queues is None else workers_state({q.name: q.workers for q in queues}),
        "model": _model(scorer),
    }


def overall(found: dict[str, str]) -> str:
    """Whether everything is there, and if not whether comments are still accepted."""
    if all(state == OK for state in found.values()):
        return OK
    return DEGRADED if all(found.get(part) == OK for part in TO_ACCEPT) else UNAVAILABLE


def workers_state(alive: dict[str, int]) -> str:
    """Scoring is what a service cannot be without; retraining can wait for its worker."""
    return OK if alive.get(SCORING) else "no scoring worker is alive"


def _migrations(database: Database) -> str:
    with database.engine.connect() as connection:
        return migrate.missing(connection) or OK


def _model(scorer: HasModel) -> str:
    try:
        scorer.current()
    except ModelError as error:
        # No message: it names files of this machine. `greenroom doctor` tells more.
        return f"cannot be used ({type(error).__name__})"
    return OK
