"""What the web process is made of, and how a view reaches it."""

import threading
from dataclasses import dataclass, field
from typing import cast

from flask import current_app

from moderation.database import Database
from moderation.jobs import Jobs
from moderation.scoring import Scorer
from moderation.settings import Settings


@dataclass(frozen=True)
class Service:
    """The web process's connections and model, put together once by the factory."""

    settings: Settings
    database: Database
    jobs: Jobs
    scorer: Scorer
    # Requests that wait for a decision occupy a thread each; some must stay free to take comments in.
    waiting: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(8))


def service() -> Service:
    """The one of the running application."""
    return cast(Service, current_app.extensions["greenroom"])
