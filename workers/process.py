"""What a worker process keeps between jobs: settings, database, scorer and Redis, made on first use."""

from dataclasses import dataclass
from functools import cache

from moderation.database import Database, open_database
from moderation.jobs import Jobs, open_jobs
from moderation.scoring import Scorer, open_scorer
from moderation.settings import Settings, load_settings


@dataclass(frozen=True)
class Process:
    """The process's own connections and its model."""

    settings: Settings
    database: Database
    scorer: Scorer
    jobs: Jobs


def open_process(settings: Settings) -> Process:
    """Put a process together; nothing is connected or loaded yet."""
    return Process(
        settings, open_database(settings.database_url), open_scorer(settings), open_jobs(settings.redis_url)
    )


@cache
def this_process() -> Process:
    """The one of this process: RQ calls jobs by name, so they cannot be handed it."""
    return open_process(load_settings())
