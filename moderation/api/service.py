"""What the web process is made of, and how a view reaches it."""

import threading
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

from flask import current_app

from moderation.database import Database
from moderation.gauges import Truth
from moderation.jobs import Jobs
from moderation.rates import Rates
from moderation.scoring import Scorer
from moderation.settings import Settings


@dataclass(frozen=True)
class Service:
    """The web process's connections and model, put together once by the factory."""

    settings: Settings
    database: Database
    jobs: Jobs
    scorer: Scorer
    rates: Rates = field(default_factory=Rates)
    # Requests that wait for a decision occupy a thread each; some must stay free to take comments in.
    waiting: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(8))

    @cached_property
    def truth(self) -> Truth:
        """The gauges; they remember what is dear to count."""
        return Truth(self.database, self.jobs)


def service() -> Service:
    """The one of the running application."""
    return cast(Service, current_app.extensions["greenroom"])
