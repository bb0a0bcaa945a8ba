"""Models: which are there, how good they are, which is in force; promote, roll back, retrain."""

from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Redirect

from moderation.api.access import moderator_caller, now
from moderation.api.problems import Problem
from moderation.api.service import service
from moderation.api.shadows import begun, ended
from moderation.console.blueprint import bp
from moderation.console.chart import gains
from moderation.console.sign_in import maintainers_only
from moderation.domain.policy import CATEGORIES
from moderation.model_trial import try_model
from moderation.scoring import ChampionChanged, ModelError, NothingToRollBack, UnknownVersion
from moderation.services.access import list_sites
from moderation.services.audit import ACTS, record
from moderation.services.drift import level_of, read_drift, told_of
from moderation.services.errors import NotFound, RunInProgress, ShadowRefused
from moderation.services.labels import count_labelled
from moderation.services.retraining import latest_runs, request_run, run_that_made
from moderation.services.shadows import compare, find_shadow
from moderation.services.webhook_outbox import tell_promoted
from moderation.services.what_if_model import ModelEffect

OPEN_RUNS = ("queued", "running")


@bp.get("/models")
@maintainers_only
def show_models() -> str:
    """Every version with its figures, and the latest runs of retraining."""
    return _models_page()


@bp.get("/models/<string:version>")
@maintainers_only
def show_model(version: str) -> str:
    """One version: its card, its figures by category, and the way to put it in force."""
    return _model_page(version)


@bp.post("/models/<string:version>/shadow")
@maintainers_only
def change_shadow(version: str) -> Redirect | tuple[str, int]:
    """Begin or end its time in the shadow."""
    try:
        (begun if request.form.get("action") == "begin" else ended)(version)
    except ShadowRefused as error:
        return _model_page(version, str(error)), 409
    return redirect(url_for(".show_model", version=version), 303)


def _model_page(version: str, refused: str = "") -> str:
    registry, site_id = service().scorer.registry, request.args.get("site")
    try:
        card, champion = registry.card(version), registry.champion()
        trial = _trial(site_id, version) if site_id and version != champion else None
    except UnknownVersion:
        raise NotFound("model version") from None
    except ModelError as error:
        raise Problem("model-unusable", type(error).__name__) from None
    with service().database.read() as reading:
        sites = list_sites(reading)
        shadow = find_shadow(reading, version)
        shown = None if shadow is None else compare(reading, shadow)
        run = run_that_made(reading, version)
    return render_template(
        "console/model.html",
        version=version,
        card=card,
        champion=champion,
        categories=CATEGORIES,
        sites=sites,
        site_id=site_id,
        trial=trial,
        shadow=shadow,
        shown=shown,
        run=run,
        gains=gains(run.metrics.get("gain") or {}) if run else [],
        refused=refused,
    )


@bp.post("/models/<string:version>/promotion")
@maintainers_only
def promote(version: str) -> Redirect | tuple[str, int]:
    """Put a version in force; workers and web servers take it over before their next batch."""
    try:
        service().scorer.registry.promote(version, expected=request.form.get("expected"))
    except ChampionChanged as error:
        return _models_page(_changed(error)), 409
    except UnknownVersion:
        raise NotFound("model version") from None
    except ModelError as error:
        raise Problem("model-unusable", type(error).__name__) from None
    _record(version, "promotion")
    return redirect(url_for(".show_models", done="promoted", version=version), 303)


@bp.post("/models/rollback")
@maintainers_only
def roll_back() -> Redirect | tuple[str, int]:
    """Return to the champion before this one."""
    try:
        champion = service().scorer.registry.rollback(expected=request.form.get("expected"))
    except ChampionChanged as error:
        return _models_page(_changed(error)), 409
    except NothingToRollBack:
        return _models_page("No other model was in force before."), 409
    except ModelError as error:
        raise Problem("model-unusable", type(error).__name__) from None
    _record(champion, "rollback")
    return redirect(url_for(".show_models", done="rolled-back", version=champion), 303)


@bp.post("/models/retraining")
@maintainers_only
def retrain() -> Redirect | tuple[str, int]:
    """Queue a run; this page shows how it goes."""
    try:
        with service().database.write() as writing:
            run = request_run(writing, moderator_caller().name, now())
    except RunInProgress:
        return _models_page("A run is under way already."), 409
    service().jobs.enqueue_retraining(run.id)
    return redirect(url_for(".show_models", done="queued"), 303)


def _models_page(refused: str = "") -> str:
    registry = service().scorer.registry
    trouble, versions = "", []
    try:
        versions = registry.versions()
    except ModelError as error:
        trouble = type(error).__name__
    champion = next((one.version for one in versions if one.champion), "")
    with service().database.read() as reading:
        runs, labelled = latest_runs(reading, 10), count_labelled(reading)
        drift = read_drift(reading, champion)
    done: dict[str, Any] = {"done": request.args.get("done"), "version": request.args.get("version")}
    return render_template(
        "console/models.html",
        versions=versions[::-1],
        trouble=trouble,
        runs=runs,
        under_way=any(run.status in OPEN_RUNS for run in runs),
        labelled=labelled,
        drift=None if drift is None else (level_of(drift), told_of(drift)),
        needed=service().settings.retrain_min_labels,
        refused=refused,
        **done,
    )


def _trial(site_id: str, version: str) -> ModelEffect:
    return try_model(service().database, service().scorer, site_id, version, now())


def _changed(error: ChampionChanged) -> str:
    return f"Nothing was changed: {error.champion} came into force meanwhile."


def _record(version: str, how: str) -> None:
    with service().database.write() as writing:
        record(writing, moderator_caller().name, ACTS[how], version, now())
        tell_promoted(writing, version, how, now())
