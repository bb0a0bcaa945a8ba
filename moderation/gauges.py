"""The figures that are the same from every process, read when asked for: database and Redis as they are."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from time import monotonic

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from moderation.database import Database, Unavailable
from moderation.domain.drift import Level
from moderation.jobs import Jobs
from moderation.metrics import PREFIX
from moderation.models import Drift
from moderation.services.drift import latest_drift, level_of, shifts_of
from moderation.services.statistics import ended_runs, gauges, status_counts

# Name and what it tells; those of the database are there whenever it answers, those of Redis likewise.
FROM_DATABASE = {
    "submissions_waiting": "Submissions accepted and not judged yet",
    "submissions_oldest_waiting_seconds": "How long the oldest of them has waited",
    "queue_open_items": "Comments that wait for a moderator",
    "queue_oldest_open_seconds": "How long the oldest of them has waited",
    "queue_claimed_items": "Open items that a moderator has claimed",
    "queue_overdue_items": "Open items past their due time",
    "labels_live": "Labels in force",
    "retraining_runs_open": "Retraining runs queued or running",
}
COMMENTS = ("comments", "Comments by status", "status")
RUNS = ("retraining_runs", "Retraining runs that ended, by how", "status")
# Of the last look for drift, if it was not long ago and enough comments came.
DRIFT = ("score_drift", "How far scores are from the model's first weeks, as an index", "category")
NEW_WORDS = ("new_words_share", "Share of words that the model's first weeks did not bring")
DRIFT_ALARMS = ("drift_alarms", "Categories, and words, of which what comes has clearly changed")
DRIFT_TOLD_FOR = timedelta(hours=3)
FROM_REDIS = {
    "jobs_waiting": "Jobs in a queue that no worker has taken",
    "jobs_failed": "Jobs that failed within the hour",
    "workers": "Workers alive that serve a queue",
}
# At most this share of the time goes into counting all comments, however often somebody asks.
COUNTING_SHARE = 0.01
DATABASE_UP, REDIS_UP = ("database_up", "Whether the database answers"), ("redis_up", "Whether Redis answers")


class Truth:
    """The gauges, to be registered for one answer."""

    def __init__(self, database: Database, jobs: Jobs) -> None:
        self.database, self.jobs = database, jobs
        self._statuses: dict[str, int] = {}
        self._count_again_at = 0.0

    def collect(self) -> Iterator[Metric]:
        """What can be asked now; a figure that cannot is absent, never zero."""
        yield from _of_database(self)
        yield from _of_redis(self.jobs)

    def statuses(self, session: Session) -> dict[str, int]:
        """Comments by status; counting all of them takes seconds for millions, so it is rarely done then."""
        begun = monotonic()
        if begun >= self._count_again_at:
            self._statuses = status_counts(session)
            self._count_again_at = monotonic() + (monotonic() - begun) / COUNTING_SHARE
        return self._statuses


def _of_database(truth: Truth) -> Iterator[Metric]:
    try:
        with truth.database.read() as session:
            figures = gauges(session, datetime.now(UTC))
            statuses, runs = truth.statuses(session), ended_runs(session)
            drift = latest_drift(session, datetime.now(UTC) - DRIFT_TOLD_FOR)
    except (Unavailable, SQLAlchemyError):
        yield _gauge(*DATABASE_UP, 0)
        return
    yield _gauge(*DATABASE_UP, 1)
    for name, text in FROM_DATABASE.items():
        yield _gauge(name, text, figures[name])
    comments = GaugeMetricFamily(PREFIX + COMMENTS[0], COMMENTS[1], labels=[COMMENTS[2]])
    ended = CounterMetricFamily(PREFIX + RUNS[0], RUNS[1], labels=[RUNS[2]])
    for family, counts in ((comments, statuses), (ended, runs)):
        for label, count in counts.items():
            family.add_metric([label], count)
    yield from (comments, ended)
    yield from _of_drift(drift)


def _of_drift(drift: Drift | None) -> Iterator[Metric]:
    index = GaugeMetricFamily(PREFIX + DRIFT[0], DRIFT[1], labels=[DRIFT[2]])
    words, alarms = (GaugeMetricFamily(PREFIX + name, text) for name, text in (NEW_WORDS, DRIFT_ALARMS))
    if drift is not None and level_of(drift) is not None:
        shifts = shifts_of(drift)
        for category, one in shifts.items():
            index.add_metric([category], one.index)
        if drift.words_level is not None:
            words.add_metric([], drift.recent_words["share"])
        levels = [*(one.level for one in shifts.values()), drift.words_level]
        alarms.add_metric([], levels.count(Level.ALARM))
    yield from (index, words, alarms)


def _of_redis(jobs: Jobs) -> Iterator[Metric]:
    queues = jobs.queues()
    yield _gauge(*REDIS_UP, 0 if queues is None else 1)
    for name, text in FROM_REDIS.items():
        family = GaugeMetricFamily(PREFIX + name, text, labels=["queue"])
        for queue in queues or ():
            family.add_metric([queue.name], getattr(queue, name.removeprefix("jobs_")))
        yield family


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(PREFIX + name, text, value=value)
