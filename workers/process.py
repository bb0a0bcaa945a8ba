"""What a worker process keeps between jobs: settings, database, scorer and Redis, made on first use."""

import threading
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

from moderation.database import Database, open_database
from moderation.jobs import Jobs, open_jobs
from moderation.settings import Settings, load_settings

if TYPE_CHECKING:
    from moderation.scoring import Scorer
    from workers.shadowing import Watch

# Set when the process was asked to stop: what is at hand is finished, the rest is left to the next.
stopping = threading.Event()


@dataclass
class Duties:
    """What the worker of this process has to do beside the job at hand; said once at its start."""

    # A worker that is to stop when there is nothing to do must not wait for more.
    burst: bool = False


duties = Duties()


@dataclass(frozen=True)
class Process:
    """The process's own connections and its model."""

    settings: Settings
    database: Database
    jobs: Jobs

    @cached_property
    def scorer(self) -> "Scorer":
        # Imported here because scikit-learn takes a second that only scoring and retraining should pay.
        from moderation.scoring import open_scorer

        return open_scorer(self.settings)

    @cached_property
    def shadow(self) -> "Watch":
        """What this process knows of a model that scores in the shadow."""
        from workers.shadowing import Watch

        return Watch()


def open_process(settings: Settings) -> Process:
    """Put a process together; nothing is connected or loaded yet."""
    # One at work, one for the signs of life of a long job.
    database = open_database(settings.database_url, "greenroom worker", connections=2)
    return Process(settings, database, open_jobs(settings.redis_url))


@cache
def this_process() -> Process:
    """The one of this process: RQ calls jobs by name, so they cannot be handed it."""
    return open_process(load_settings())
