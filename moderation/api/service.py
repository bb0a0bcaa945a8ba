"""What the web process is made of, and how a view reaches it."""

import threading
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

from flask import current_app

from moderation.database import Database
from moderation.gauges import Truth
from moderation.intake import Intake
from moderation.jobs import Jobs
from moderation.rates import Rates
from moderation.remembered import Remembered
from moderation.scoring import Scorer
from moderation.services.access import SiteCaller
from moderation.settings import Settings

# A revoked key of a site, a new origin or one taken away is noticed by every process after this long.
SITE_SECONDS = 5.0


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
    # What nearly every request of a frontend asks for; by the key as it is shown, for a digest of it takes as
    # long as ten look-ups.
    callers: Remembered[str, SiteCaller] = field(default_factory=lambda: Remembered(SITE_SECONDS))
    origins: Remembered[str, bool] = field(default_factory=lambda: Remembered(SITE_SECONDS))
    intake: Intake = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "intake", Intake(self.database, self.jobs, self.settings.max_waiting))

    @cached_property
    def truth(self) -> Truth:
        """The gauges; they remember what is dear to count."""
        return Truth(self.database, self.jobs)


def service() -> Service:
    """The one of the running application."""
    return cast(Service, current_app.extensions["greenroom"])
