"""`greenroom doctor`: is everything where it should be?"""

import sys
from collections.abc import Callable

import click
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from classifier.errors import ModelError
from moderation import migrate, readiness
from moderation.database import open_database
from moderation.domain.drift import Level
from moderation.jobs import WEBHOOKS, QueueState, open_jobs, worker_connection
from moderation.scoring import open_registry
from moderation.services.drift import level_of, read_drift, told_of
from moderation.services.webhooks import count_enabled
from moderation.settings import Settings, unknown_names
from workers.cli.start import refusing, settings_and_log


@click.command("doctor")
@refusing
def doctor_command() -> None:
    """Check settings, database, Redis, workers and model; exit status 1 if something is wrong.

    Drift, a change of what comes, is told beside them: it is no fault of the installation.

    The last line is what /readyz says: ok, degraded (comments are accepted and wait) or unavailable.
    """
    settings = settings_and_log()
    found: dict[str, str] = {}
    for name, check in CHECKS.items():
        try:
            told, found[name] = check(settings), readiness.OK
        except (LookupError, SQLAlchemyError, RedisError, ModelError, OSError) as error:
            told = found[name] = str(error).splitlines()[0]
        click.echo(f"{'ok   ' if found[name] == readiness.OK else 'WRONG'}  {name:<10} {told}")
    if all(found[part] == readiness.OK for part in ("database", "migrations", "model")):
        _tell_drift(settings)
    click.echo(readiness.overall(found))
    sys.exit(any(state != readiness.OK for state in found.values()))


def _settings(settings: Settings) -> str:
    unknown = unknown_names()
    if unknown:
        raise LookupError(f"{', '.join(unknown)}: no such setting")
    return f"home {settings.home}"


def _database(settings: Settings) -> str:
    engine = open_database(settings.database_url).engine
    with engine.connect():
        return engine.dialect.name


def _migrations(settings: Settings) -> str:
    with open_database(settings.database_url).engine.connect() as connection:
        missing = migrate.missing(connection)
    if missing:
        raise LookupError(f"{missing}; run `greenroom migrate`")
    return "at the newest this version knows, or newer"


def _redis(settings: Settings) -> str:
    worker_connection(settings.redis_url).ping()
    return "answers"


def _workers(settings: Settings) -> str:
    needed = [queue for queue in _queues(settings) if queue.name != WEBHOOKS]
    idle = [queue.name for queue in needed if not queue.workers]
    if idle:
        raise LookupError(f"no worker serves {', '.join(idle)}; run `greenroom worker`")
    return ", ".join(f"{queue.workers} for {queue.name}" for queue in needed)


def _webhooks(settings: Settings) -> str:
    with Session(open_database(settings.database_url).engine) as session:
        endpoints = count_enabled(session)
    if not endpoints:
        return "no endpoints"
    workers = sum(queue.workers for queue in _queues(settings) if queue.name == WEBHOOKS)
    if not workers:
        told = f"no worker tells {endpoints} endpoints of anything"
        raise LookupError(f"{told}; run `greenroom worker --queue {WEBHOOKS}`")
    return f"{workers} workers for {endpoints} endpoints"


def _queues(settings: Settings) -> list[QueueState]:
    queues = open_jobs(settings.redis_url).queues()
    if queues is None:
        raise LookupError("unknown while Redis cannot be reached")
    return queues


def _model(settings: Settings) -> str:
    registry = open_registry(settings)
    version = registry.load().version
    if registry.store.trouble() is not None:
        raise LookupError(f"their place cannot be reached; {version} is what this machine has seen last")
    return f"champion {version}"


def _tell_drift(settings: Settings) -> None:
    """Something to know, which is no fault of the installation."""
    with Session(open_database(settings.database_url).engine) as session:
        drift = read_drift(session, open_registry(settings).champion())
    if drift is None:
        click.echo(f"ok     {'drift':<10} too few comments yet to compare later ones with")
        return
    mark = "ALARM" if level_of(drift) is Level.ALARM else "ok   "
    click.echo(f"{mark}  {'drift':<10} {told_of(drift)}")


CHECKS: dict[str, Callable[[Settings], str]] = {
    "settings": _settings,
    "database": _database,
    "migrations": _migrations,
    "redis": _redis,
    "workers": _workers,
    "webhooks": _webhooks,
    "model": _model,
}
