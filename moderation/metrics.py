"""What the processes count, and the one table of it; `docs/operations.md` is tested against this table.

A hook is one call, `add` or `observe`, costs about a microsecond and never fails: figures must not stop the
work. Labels have few values each, so that no visitor can make the figures grow.
"""

import logging
import os
import threading
from collections import Counter as TimesSeen
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    start_http_server,
    values,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.values import MultiProcessValue

from moderation.metric_files import Own, files_to_read

log = logging.getLogger(__name__)

PREFIX = "greenroom_"
OTHER = "other"
# The reasons a decision may be counted under; a moderator may write others.
REASONS = frozenset(
    [
        "clean",
        "unscored",
        "honeypot",
        "thread_closed",
        "spam",
        "toxic",
        "unproven",
        "blocked_word",
        "links",
        "repeat",
        "near_copy",
        "rejected_domain",
        "known_domain",
        "new_domain",
        "first_comment",
        "known_author",
        "hold_everything",
        "insult",
        "threat",
        "identity_attack",
        "off_topic",
        "reversed",
        "edited",
        "withdrawn",
        "trusted_role",
    ]
)
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
COMMENTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


@dataclass(frozen=True)
class Meter:
    """One row of the table."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def kind(self) -> str:
        return "histogram" if self.buckets else "counter"


ACCEPTED = Meter("submissions_accepted_total", "Submissions stored, by what brought them", ("kind",))
DECIDED = Meter("decisions_total", "Decisions recorded", ("actor", "outcome", "reason"))
BATCH = Meter("batch_comments", "Comments a worker took in one batch", (), COMMENTS)
SCORING = Meter("scoring_seconds", "Reading, scoring and judging one batch", (), SECONDS)
RECORDING = Meter("recording_seconds", "Recording the verdicts of one batch", (), SECONDS)
TO_DECISION = Meter(
    "accepted_to_decided_seconds", "From accepting a comment to the policy's decision", (), SECONDS
)
REQUESTS = Meter("http_requests_total", "Requests answered", ("method", "route", "status"))
REQUEST_SECONDS = Meter(
    "http_request_seconds", "From a request to the start of its answer", ("method", "route"), SECONDS
)
ERRORS = Meter("errors_total", "Lines logged as errors, by the part that met them", ("kind",))
WEBHOOKS = Meter("webhook_tries_total", "Tries to deliver a webhook, by what became of it", ("outcome",))
WEBHOOKS_DISABLED = Meter("webhook_endpoints_disabled_total", "Endpoints disabled by themselves", ("reason",))
METERS = (
    ACCEPTED,
    DECIDED,
    BATCH,
    SCORING,
    RECORDING,
    TO_DECISION,
    REQUESTS,
    REQUEST_SECONDS,
    ERRORS,
    WEBHOOKS,
    WEBHOOKS_DISABLED,
)

# Shown from the start, because a rate needs a zero to begin at.
ERROR_KINDS = (
    "web",
    "scoring",
    "retraining",
    "sweeper",
    "webhooks",
    "job",
    "redis",
    "database",
    "server",
    OTHER,
)
_FROM_THE_START = [(ERRORS, (kind,)) for kind in ERROR_KINDS] + [
    (ACCEPTED, ("comment",)),
    (ACCEPTED, ("edit",)),
]

_making = threading.Lock()
_children: dict[tuple[str, ...], Any] = {}


@dataclass(frozen=True)
class _Made:
    registry: CollectorRegistry
    metrics: Mapping[str, Any]
    folder: Path | None


_made: list[_Made] = []


def start(home: Path) -> None:
    """Keep this process's figures in files under home, where all processes of the machine find them.

    Without room for them they are kept in memory, and only this process tells them.
    """
    folder = home / "metrics"
    own = Own(folder)
    try:
        own.identity()
    except OSError as error:
        log.warning("metrics are kept in memory: %s cannot be used (%s)", folder, type(error).__name__)
        return
    # How prometheus_client is told; it takes the folder from the environment only.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    values.ValueClass = MultiProcessValue(own.identity)  # type: ignore[no-untyped-call]
    with _making:
        _children.clear()
        _made[:] = [_make(folder)]
    for meter, labels in _FROM_THE_START:
        _child(meter, labels)


def add(meter: Meter, *labels: str, amount: float = 1) -> None:
    """Count something."""
    try:
        _child(meter, labels).inc(amount)
    except OSError:
        # A forked process for whose files there is no room; it goes on uncounted.
        return


def observe(meter: Meter, value: float, *labels: str) -> None:
    """Put a value into a histogram."""
    try:
        _child(meter, labels).observe(value)
    except OSError:
        return


def batch(taken: int, scoring: float, recording: float) -> None:
    """Count a worker's batch: how many comments, and the seconds its two halves took."""
    observe(BATCH, taken)
    observe(SCORING, scoring)
    observe(RECORDING, recording)


def committed(events: Sequence[tuple[Any, ...]]) -> None:
    """Count what a transaction did, now that it is certain; see `moderation.services.tally`."""
    # A batch of hundreds has few kinds of decisions, so those are added up first.
    for (event, *told), times in TimesSeen(one[:4] for one in events).items():
        if event == "accepted":
            add(ACCEPTED, *told, amount=times)
        elif event == "decided":
            actor, outcome, reason = told
            add(DECIDED, actor, outcome, reason if reason in REASONS else OTHER, amount=times)
    for _, *_, seconds in (one for one in events if one[0] == "decided" and one[4] is not None):
        observe(TO_DECISION, seconds)


def serve(host: str, port: int) -> None:
    """Answer /metrics from a thread of this process, for machines without a web server."""
    registry = CollectorRegistry()
    registry.register(Figures())
    try:
        start_http_server(port, host, registry)
    except OSError as error:
        # Whoever has the port tells the figures of all processes of the machine, these too.
        log.warning("metrics are not served at %s:%d (%s)", host, port, error.strerror)


class Figures:
    """The figures of all processes that share the folder, to be registered for one answer."""

    def collect(self) -> Iterator[Metric]:
        """Every meter of the table, those without a value too."""
        made = _current()
        found = {metric.name: metric for metric in _read(made)}
        for meter in METERS:
            name = PREFIX + meter.name.removesuffix("_total")
            yield found.get(name) or Metric(name, meter.help, meter.kind)


def _read(made: _Made) -> list[Metric]:
    if made.folder is None:
        return list(made.registry.collect())
    try:
        with files_to_read(made.folder) as files:
            return list(MultiProcessCollector.merge(files))  # type: ignore[no-untyped-call]
    except OSError as error:
        log.warning("metrics cannot be read (%s)", type(error).__name__)
        return []


def _current() -> _Made:
    if not _made:
        with _making:
            if not _made:
                _made.append(_make(None))
    return _made[0]


def _make(folder: Path | None) -> _Made:
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    return _Made(registry, {meter.name: _metric(meter, registry) for meter in METERS}, folder)


def _metric(meter: Meter, registry: CollectorRegistry) -> Any:
    name = PREFIX + meter.name
    if meter.buckets:
        return Histogram(name, meter.help, meter.labels, registry=registry, buckets=meter.buckets)
    return Counter(name, meter.help, meter.labels, registry=registry)


def _child(meter: Meter, labels: tuple[str, ...]) -> Any:
    child = _children.get((meter.name, *labels))
    if child is None:
        metric = _current().metrics[meter.name]
        child = _children[(meter.name, *labels)] = metric.labels(*labels) if labels else metric
    return child
