"""For those who run the service: health, readiness, figures, statistics."""

from datetime import UTC, datetime
from typing import Any

from flask import Response, jsonify
from marshmallow import Schema, fields
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from moderation.api.access import Who, now, requires
from moderation.api.bodies import ApiBlueprint
from moderation.api.service import Service, service
from moderation.schemas.fields import Utc
from moderation.scoring import ModelError
from moderation.services.statistics import gauges, statistics, status_counts

bp = ApiBlueprint("operations", __name__, description="Running the service")


class StatisticsSchema(Schema):
    """Figures about the queue and the last day."""

    at = Utc()
    waiting = fields.Integer(metadata={"description": "Submissions not scored yet"})
    queue = fields.Dict()
    last_day = fields.Dict()


@bp.get("/healthz")
@requires(Who.EVERYBODY)
@bp.doc(summary="Whether the process is up", security=[])
@bp.response(200)
def healthz() -> dict[str, str]:
    """The process answers; nothing else is looked at."""
    return {"status": "ok"}


@bp.get("/readyz")
@requires(Who.EVERYBODY)
@bp.doc(summary="Whether the service can do its work", security=[])
@bp.response(200)
def readyz() -> Response:
    """Database, Redis and model, each "ok" or what is wrong; 503 if one is missing."""
    found = _parts(service())
    ready = all(state == "ok" for state in found.values())
    response = jsonify({"status": "ok" if ready else "unavailable", **found})
    response.status_code = 200 if ready else 503
    return response


@bp.get("/metrics")
@requires(Who.EVERYBODY)
@bp.doc(summary="Figures for Prometheus", security=[])
@bp.response(200, content_type="text/plain")
def metrics() -> Response:
    """Read from the database, so that every process tells the same."""
    collected = CollectorRegistry()
    with service().database.read() as session:
        figures, by_status = gauges(session, datetime.now(UTC)), status_counts(session)
    for name, value in figures.items():
        Gauge(f"greenroom_{name}", name.replace("_", " "), registry=collected).set(value)
    comments = Gauge("greenroom_comments", "comments by status", ["status"], registry=collected)
    for status, count in by_status.items():
        comments.labels(status).set(count)
    return Response(generate_latest(collected), content_type=CONTENT_TYPE_LATEST)


@bp.get("/api/v1/stats")
@requires(Who.MODERATOR)
@bp.doc(summary="Queue, arrivals, decisions and times")
@bp.response(200, StatisticsSchema)
def stats() -> dict[str, Any]:
    """How long the queue is, how old, and what the last day brought."""
    with service().database.read() as session:
        return statistics(session, now())


def _parts(parts: Service) -> dict[str, str]:
    return {
        "database": _database_state(parts),
        "redis": "ok" if parts.jobs.ping() else "cannot be reached",
        "model": _model_state(parts),
    }


def _database_state(parts: Service) -> str:
    trouble = parts.database.trouble()
    return "ok" if trouble is None else f"cannot be used ({trouble})"


def _model_state(parts: Service) -> str:
    try:
        parts.scorer.current()
    except ModelError as error:
        # Everybody may ask, so no message: it names files of this machine. `greenroom doctor` tells more.
        return f"cannot be used ({type(error).__name__})"
    return "ok"
