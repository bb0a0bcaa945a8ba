"""Sites: make one, change its policy after seeing what that would do, and look after its keys."""

from collections.abc import Mapping
from typing import Any

from flask import redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as Redirect

from moderation.api.access import moderator_caller, now
from moderation.api.problems import Problem
from moderation.api.service import service
from moderation.api.sites import checked_origin, effect, model_thresholds, promises_of
from moderation.console.blueprint import bp
from moderation.console.policy_form import FORM, changes_from
from moderation.console.sign_in import maintainers_only
from moderation.domain.policy import CATEGORIES, PolicySettings
from moderation.models import KeyKind, Site
from moderation.schemas.administration import SITE_KEYS
from moderation.schemas.fields import NAME_LENGTH
from moderation.services.access import create_site, list_sites
from moderation.services.audit import record
from moderation.services.errors import NotFound, StalePolicy
from moderation.services.people import new_site_key, revoke_key, site_keys
from moderation.services.policies import change_policy, current_policies, policy_versions
from moderation.services.what_if import Effect


@bp.get("/sites")
@maintainers_only
def show_sites() -> str:
    """Every site with its policy in short."""
    return _sites_page()


@bp.post("/sites")
@maintainers_only
def make_site() -> str | tuple[str, int]:
    """Make a site; its keys are on the page that answers, and nowhere else."""
    name = request.form.get("name", "").strip()
    if not 0 < len(name) <= NAME_LENGTH or "\0" in name:
        return _sites_page(wrong=f"A name of 1 to {NAME_LENGTH} characters is needed.", name=name), 422
    try:
        origins = [checked_origin(line) for line in request.form.get("origins", "").split()]
    except Problem as problem:
        return _sites_page(wrong=problem.detail or "", name=name), 422
    with service().database.write() as writing:
        made = create_site(writing, name, origins, {}, secret=service().settings.secret_key, now=now())
        record(writing, moderator_caller().name, "site made", name, now(), site_id=made.site_id)
    return _sites_page(made=made)


@bp.get("/sites/<string:site_id>")
@maintainers_only
def show_site(site_id: str) -> str:
    """A site's policy, its keys, and the versions of its policy."""
    return _site_page(site_id)


@bp.post("/sites/<string:site_id>/policy")
@maintainers_only
def save_policy(site_id: str) -> Redirect | str | tuple[str, int]:
    """Show what the form's settings would do, or put them in force."""
    try:
        changes = changes_from(request.form)
        if request.form.get("action") != "save":
            return _site_page(site_id, sent=request.form, effect=effect(site_id, changes))
        expected = request.form.get("version", -1, type=int)
        with service().database.write() as writing:
            change_policy(
                writing, site_id, changes, now(), made_by=moderator_caller().name, expected=expected
            )
    except ValueError as error:
        return _site_page(site_id, sent=request.form, wrong=str(error)), 422
    except Problem as problem:
        return _site_page(site_id, sent=request.form, wrong=problem.detail or ""), 422
    except StalePolicy as error:
        told = f"Somebody changed the policy meanwhile: {error}. This page shows yours; nothing was saved."
        return _site_page(site_id, sent=request.form, wrong=told), 412
    return redirect(url_for(".show_site", site_id=site_id, saved="policy"), 303)


@bp.post("/sites/<string:site_id>/policy/<int:version>")
@maintainers_only
def restore_policy(site_id: str, version: int) -> Redirect:
    """Put an earlier version in force again, as a new one."""
    with service().database.write() as writing:
        earlier = next((v for v in policy_versions(writing, site_id, 200) if v.version == version), None)
        if earlier is None:
            raise NotFound("policy version")
        missing = dict.fromkeys(policy_versions(writing, site_id, 1)[0].settings)
        change_policy(
            writing,
            site_id,
            _as_it_was(missing, earlier.settings),
            now(),
            made_by=moderator_caller().name,
        )
    return redirect(url_for(".show_site", site_id=site_id, saved="restored"), 303)


@bp.post("/sites/<string:site_id>/keys")
@maintainers_only
def make_key(site_id: str) -> str:
    """Another key, on the page that answers and nowhere else."""
    if request.form.get("kind") not in SITE_KEYS:
        raise Problem("invalid", "Choose a kind of key.")
    kind, who = KeyKind(request.form["kind"]), moderator_caller().name
    with service().database.write() as writing:
        key = new_site_key(writing, site_id, kind, who, secret=service().settings.secret_key, now=now())
    return _site_page(site_id, new_key=key)


@bp.post("/sites/<string:site_id>/keys/<string:key_id>/revocation")
@maintainers_only
def revoke_site_key(site_id: str, key_id: str) -> Redirect:
    """Take a key away for good."""
    with service().database.write() as writing:
        revoke_key(writing, key_id, moderator_caller().name, now())
    return redirect(url_for(".show_site", site_id=site_id, saved="key"), 303)


def _sites_page(**more: Any) -> str:
    with service().database.read() as reading:
        sites = list_sites(reading)
        policies = current_policies(reading, {site.id for site in sites})
    rows = [(site, policies.get(site.id, PolicySettings())) for site in sites]
    return render_template("console/sites.html", rows=rows, **more)


def _site_page(
    site_id: str,
    *,
    sent: Mapping[str, str] | None = None,
    effect: Effect | None = None,
    wrong: str = "",
    new_key: str = "",
) -> str:
    with service().database.read() as reading:
        site = _site(reading, site_id)
        policy = current_policies(reading, {site_id}).get(site_id, PolicySettings())
        return render_template(
            "console/site.html",
            site=site,
            policy=policy,
            form=FORM,
            values=sent if sent is not None else {},
            sent=sent is not None,
            version=sent.get("version", policy.version) if sent is not None else policy.version,
            model=model_thresholds(),
            categories=CATEGORIES,
            effect=effect,
            promises=promises_of(reading, site_id),
            wrong=wrong,
            keys=site_keys(reading, site_id),
            kinds=SITE_KEYS,
            new_key=new_key,
            versions=policy_versions(reading, site_id),
            saved=request.args.get("saved"),
        )


def _site(reading: Session, site_id: str) -> Site:
    site = reading.get(Site, site_id)
    if site is None:
        raise NotFound("site")
    return site


def _as_it_was(now_set: Mapping[str, Any], then: Mapping[str, Any]) -> dict[str, Any]:
    """The earlier settings; what was not set then is what it is by default."""
    unset = PolicySettings()
    default = {name: getattr(unset, name) for name in now_set if name not in then}
    default = {name: list(value) if isinstance(value, tuple) else value for name, value in default.items()}
    return default | dict(then)
