"""For those who run the service: health, readiness, figures, statistics."""

from typing import Any

from flask import Response, jsonify, request
from marshmallow import Schema, fields
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from moderation import readiness
from moderation.api.access import Who, now, requires
from moderation.api.bodies import ApiBlueprint
from moderation.api.service import service
from moderation.metrics import Figures
from moderation.schemas.fields import Utc
from moderation.services.statistics import statistics

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
    """Each part, "ok" or what is wrong with it; 503 if database, Redis or model is missing.

    With `?to=accept` 503 only if comments cannot be accepted: what a load balancer should ask.
    """
    found = readiness.parts(service().database, service().jobs, service().scorer)
    needed = readiness.TO_ACCEPT if request.args.get("to") == "accept" else readiness.NEEDED
    response = jsonify({"status": readiness.overall(found), **found})
    response.status_code = 200 if all(found[part] == readiness.OK for part in needed) else 503
    return response


@bp.get("/metrics")
@requires(Who.EVERYBODY)
@bp.doc(summary="Figures for Prometheus", security=[])
@bp.response(200, content_type="text/plain")
def metrics() -> Response:
    """What all processes of this machine counted, and what database and Redis hold now."""
    collected = CollectorRegistry()
    collected.register(Figures())
    collected.register(service().truth)
    return Response(generate_latest(collected), content_type=CONTENT_TYPE_LATEST)


@bp.get("/api/v1/stats")
@requires(Who.MODERATOR)
@bp.doc(summary="Queue, arrivals, decisions and times")
@bp.response(200, StatisticsSchema)
def stats() -> dict[str, Any]:
    """How long the queue is, how old, and what the last day brought."""
    with service().database.read() as session:
        return statistics(session, now())
