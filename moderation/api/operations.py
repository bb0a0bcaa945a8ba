"""For those who run the service: health, readiness, figures, statistics."""

from datetime import timedelta
from typing import Any

from flask import Response, jsonify, request
from marshmallow import Schema, fields, validate
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from moderation import readiness
from moderation.api.access import Who, now, requires
from moderation.api.bodies import ApiBlueprint
from moderation.api.service import service
from moderation.metrics import Figures
from moderation.schemas.fields import ID_LENGTH, StrictSchema, Text, Utc
from moderation.services.spot_checks import spot_check_figures
from moderation.services.statistics import statistics
from moderation.services.workload import workload

bp = ApiBlueprint("operations", __name__, description="Running the service")


class StatisticsQuerySchema(StrictSchema):
    """Which time and site the window is about."""

    days = fields.Integer(load_default=1, validate=validate.Range(min=1, max=90))
    site = Text(ID_LENGTH)


class StepSchema(Schema):
    """Items opened and decided by people within one step of the window."""

    at = Utc()
    opened = fields.Integer()
    decided = fields.Integer()


class SpotChecksSchema(Schema):
    """Of what was decided without a person, how much was wrong, with a 95 % interval; null without any."""

    looked_at = fields.Integer()
    wrong = fields.Integer()
    per_1000 = fields.Float(allow_none=True)
    low = fields.Float(allow_none=True)
    high = fields.Float(allow_none=True)


class WindowSchema(Schema):
    """The desk over the last days; times in seconds."""

    since = Utc()
    step_seconds = fields.Integer()
    series = fields.List(fields.Nested(StepSchema))
    moderators = fields.List(fields.Dict())
    reasons = fields.List(fields.Dict())
    seconds_to_decision = fields.Dict()
    reversals = fields.Integer()
    open_by_site = fields.Dict()
    spot_checks = fields.Dict(
        keys=fields.String(),
        values=fields.Nested(SpotChecksSchema),
        metadata={"description": "`published` and `rejected` without a person"},
    )
    seconds_to_empty = fields.Float(
        allow_none=True, metadata={"description": "At the pace of the last day; null if it does not shrink"}
    )


class StatisticsSchema(Schema):
    """Figures about the queue and the last day."""

    at = Utc()
    waiting = fields.Integer(metadata={"description": "Submissions not scored yet"})
    queue = fields.Dict()
    last_day = fields.Dict()
    window = fields.Nested(WindowSchema)


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
@bp.arguments(StatisticsQuerySchema, location="query")
@bp.response(200, StatisticsSchema)
def stats(query: dict[str, Any]) -> dict[str, Any]:
    """How long the queue is, how old, what the last day brought, and the desk over a window of days."""
    with service().database.read() as session:
        window = workload(session, now(), timedelta(days=query["days"]), query.get("site"))
        checks = spot_check_figures(session, now() - timedelta(days=query["days"]), query.get("site"))
        return statistics(session, now()) | {"window": window | {"spot_checks": checks}}
