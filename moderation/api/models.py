"""Models and retraining: versions, promotion, rollback, runs."""

import logging
from dataclasses import asdict
from typing import Any

from moderation.api.access import Who, moderator_caller, now, requires
from moderation.api.bodies import ApiBlueprint
from moderation.api.problems import Problem
from moderation.api.service import service
from moderation.model_trial import try_model
from moderation.models import Drift, RetrainingRun
from moderation.schemas.administration import ModelEffectSchema, ModelTrialSchema
from moderation.schemas.learning import (
    ChampionSchema,
    ExpectedSchema,
    ModelCardSchema,
    ModelListSchema,
    NewRunSchema,
    RunListSchema,
    RunSchema,
)
from moderation.scoring import ChampionChanged, ModelError, NothingToRollBack, UnknownVersion
from moderation.services.audit import ACTS, record
from moderation.services.drift import level_of, read_drift, shifts_of, told_of
from moderation.services.retraining import get_run, latest_runs, request_run
from moderation.services.webhook_outbox import tell_promoted
from moderation.services.what_if_model import ModelEffect

bp = ApiBlueprint("models", __name__, url_prefix="/api/v1", description="Model versions and retraining")

log = logging.getLogger(__name__)


@bp.get("/models")
@requires(Who.MAINTAINER)
@bp.doc(summary="Every model version")
@bp.response(200, ModelListSchema)
def list_models() -> dict[str, Any]:
    """The shipped model and every one made here; one of them is the champion."""
    return {"items": or_problem(lambda: _registry().versions()), "next_cursor": None}


@bp.get("/models/<string:version>")
@requires(Who.MAINTAINER)
@bp.doc(summary="One model version with its card")
@bp.response(200, ModelCardSchema)
def read_model(version: str) -> dict[str, Any]:
    """Card and metrics, and how far what comes is from its first weeks."""
    card, champion = or_problem(lambda: (_registry().card(version), _registry().champion()))
    with service().database.read() as session:
        drift = read_drift(session, version)
    shown = None if drift is None else _drift_view(drift)
    return {"version": version, "champion": champion == version, "card": card, "drift": shown}


@bp.post("/models/<string:version>/promotion")
@requires(Who.MAINTAINER)
@bp.doc(summary="Put a version in force")
@bp.arguments(ExpectedSchema, location="query")
@bp.response(200, ChampionSchema)
@bp.alt_response(409, description="Another model is in force than `expected`")
def promote_model(query: dict[str, Any], version: str) -> dict[str, str]:
    """Workers and web take it over before their next batch."""
    expected = query.get("expected")
    return _told(or_problem(lambda: _registry().promote(version, expected=expected)), "promotion")


@bp.post("/models/<string:version>/preview")
@requires(Who.MAINTAINER)
@bp.doc(summary="What a version would do to a site's latest comments")
@bp.arguments(ModelTrialSchema)
@bp.response(200, ModelEffectSchema)
def preview_model(data: dict[str, Any], version: str) -> ModelEffect:
    """At most 5,000 of so many days, judged once more with both models by its policy; nothing is changed."""
    database, scorer = service().database, service().scorer
    trial: ModelEffect = or_problem(
        lambda: try_model(database, scorer, data["site_id"], version, now(), days=data["days"])
    )
    return trial


@bp.post("/models/rollback")
@requires(Who.MAINTAINER)
@bp.doc(summary="Return to the champion before this one")
@bp.arguments(ExpectedSchema, location="query")
@bp.response(200, ChampionSchema)
@bp.alt_response(409, description="There is none, or another model is in force than `expected`")
def roll_back_model(query: dict[str, Any]) -> dict[str, str]:
    """Workers and web take it over before their next batch."""
    expected = query.get("expected")
    return _told(or_problem(lambda: _registry().rollback(expected=expected)), "rollback")


@bp.post("/retraining-runs")
@requires(Who.MAINTAINER)
@bp.doc(summary="Make a better model from the labels")
@bp.arguments(NewRunSchema, required=False)
@bp.response(202, RunSchema, headers={"Location": {"schema": {"type": "string"}}})
def create_run(wanted: dict[str, Any]) -> tuple[RetrainingRun, int, dict[str, str]]:
    """Queue a run on the labels of all sites, or of the one named; follow it at its Location."""
    with service().database.write() as session:
        run = request_run(session, moderator_caller().name, now(), wanted.get("site_id"))
    service().jobs.enqueue_retraining(run.id)
    return run, 202, {"Location": f"/api/v1/retraining-runs/{run.id}"}


@bp.get("/retraining-runs")
@requires(Who.MAINTAINER)
@bp.doc(summary="The latest runs")
@bp.response(200, RunListSchema)
def list_runs() -> dict[str, Any]:
    """The latest runs, newest first."""
    with service().database.read() as session:
        return {"items": latest_runs(session), "next_cursor": None}


@bp.get("/retraining-runs/<string:run_id>")
@requires(Who.MAINTAINER)
@bp.doc(summary="One run")
@bp.response(200, RunSchema)
def read_run(run_id: str) -> RetrainingRun:
    """Where the run stands; at its end the reason, both models' metrics and the new version."""
    with service().database.read() as session:
        return get_run(session, run_id)


def _drift_view(drift: Drift) -> dict[str, Any]:
    return {
        "level": level_of(drift),
        "told": told_of(drift),
        "looked_at": drift.looked_at,
        "reference": {"since": drift.since, "until": drift.until, "comments": drift.comments},
        "recent": {
            "since": drift.recent_since,
            "until": drift.looked_at,
            "comments": drift.recent_comments,
        },
        "categories": [{"category": name, **asdict(one)} for name, one in shifts_of(drift).items()],
        "words": {
            "share_then": round(drift.words["share"], 4),
            "share_now": round(drift.recent_words["share"], 4),
            "texts_then": drift.words["texts"],
            "texts_now": drift.recent_words["texts"],
            "level": drift.words_level,
        },
    }


def _told(version: str, how: str) -> dict[str, str]:
    with service().database.write() as session:
        record(session, moderator_caller().name, ACTS[how], version, now())
        tell_promoted(session, version, how, now())
    return {"champion": version}


def _registry() -> Any:
    return service().scorer.registry


def or_problem(call: Any) -> Any:
    """What the call gives; raises a Problem that names no file of this machine."""
    try:
        return call()
    except UnknownVersion:
        # The errors' own words name folders of this machine; they belong in the log.
        raise Problem("not-found", "no such model version") from None
    except NothingToRollBack:
        raise Problem("nothing-to-roll-back") from None
    except ChampionChanged as error:
        raise Problem("champion-changed", f"{error.champion} is in force meanwhile") from None
    except ModelError as error:
        log.error("%s", error)  # noqa: TRY400 - one line says it all
        raise Problem("model-unusable", type(error).__name__) from None
