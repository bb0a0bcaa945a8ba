"""`greenroom doctor`: is everything where it should be?"""

import sys
from collections.abc import Callable

import click
from redis.exceptions import RedisError
from sqlalchemy import inspect
from sqlalchemy.exc import SQLAlchemyError

from classifier.errors import ModelError
from moderation.database import open_database
from moderation.jobs import QUEUES, worker_connection
from moderation.models import Base
from moderation.scoring import open_registry
from moderation.settings import Settings, unknown_names
from workers.cli.start import refusing, settings_and_log


@click.command("doctor")
@refusing
def doctor_command() -> None:
    """Check settings, database, Redis, workers and model; exit status 1 if something is wrong."""
    settings = settings_and_log()
    checks: dict[str, Callable[[Settings], str]] = {
        "settings": _settings,
        "database": _database,
        "redis": _redis,
        "model": _model,
    }
    wrong = 0
    for name, check in checks.items():
        try:
            click.echo(f"ok     {name:<10} {check(settings)}")
        except (LookupError, SQLAlchemyError, RedisError, ModelError, OSError) as error:
            wrong += 1
            click.echo(f"WRONG  {name:<10} {str(error).splitlines()[0]}")
    sys.exit(1 if wrong else 0)


def _settings(settings: Settings) -> str:
    unknown = unknown_names()
    if unknown:
        raise LookupError(f"{', '.join(unknown)}: no such setting")
    return f"home {settings.home}"


def _database(settings: Settings) -> str:
    engine = open_database(settings.database_url).engine
    missing = set(Base.metadata.tables) - set(inspect(engine).get_table_names())
    if missing:
        raise LookupError("tables are missing; run `greenroom migrate`")
    return engine.dialect.name


def _redis(settings: Settings) -> str:
    from rq import Worker

    connection = worker_connection(settings.redis_url)
    connection.ping()
    served = {name for worker in Worker.all(connection=connection) for name in worker.queue_names()}
    idle = [name for name in QUEUES if name not in served]
    if idle:
        raise LookupError(f"no worker serves {', '.join(idle)}; run `greenroom worker`")
    return "answers, every queue has a worker"


def _model(settings: Settings) -> str:
    registry = open_registry(settings)
    version = registry.load().version
    if registry.store.trouble() is not None:
        raise LookupError(f"their place cannot be reached; {version} is what this machine has seen last")
    return f"champion {version}"
