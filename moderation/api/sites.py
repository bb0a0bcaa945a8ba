"""Sites, their policies and their keys: for maintainers."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from flask import Response, jsonify
from sqlalchemy.orm import Session

from moderation.api.access import Who, moderator_caller, now, requires
from moderation.api.bodies import ApiBlueprint, expected_version
from moderation.api.problems import Problem
from moderation.api.service import service
from moderation.domain.policy import PolicySettings, Threshold
from moderation.domain.promises import Proof, Proven
from moderation.models import KeyKind
from moderation.schemas.administration import (
    EffectSchema,
    KeyListSchema,
    KeyMadeSchema,
    NewKeySchema,
    NewSiteSchema,
    PolicyChangeSchema,
    PolicySchema,
    PromisesSchema,
    SiteListSchema,
    SiteMadeSchema,
)
from moderation.scoring import ModelError
from moderation.services.access import NewSite, create_site, list_sites
from moderation.services.audit import record
from moderation.services.people import new_site_key, site_keys
from moderation.services.policies import change_policy, current_policies, policy_from, policy_versions
from moderation.services.proofs import read_proofs
from moderation.services.what_if import Effect, effect_of

bp = ApiBlueprint("sites", __name__, url_prefix="/api/v1/sites", description="Sites and their policies")

_IF_MATCH = {"in": "header", "name": "If-Match", "required": True, "schema": {"type": "string"}}


@bp.get("")
@requires(Who.MAINTAINER)
@bp.doc(summary="Every site")
@bp.response(200, SiteListSchema)
def read_sites() -> dict[str, Any]:
    """With the policy in force of each."""
    with service().database.read() as session:
        sites = list_sites(session)
        policies = current_policies(session, {site.id for site in sites})
    return {"items": [_site_view(site, policies.get(site.id, PolicySettings())) for site in sites]}


@bp.post("")
@requires(Who.MAINTAINER)
@bp.doc(summary="Make a site")
@bp.arguments(NewSiteSchema)
@bp.response(201, SiteMadeSchema)
def create_one(data: dict[str, Any]) -> NewSite:
    """The keys are shown this once."""
    origins = [checked_origin(one) for one in data["allowed_origins"]]
    with service().database.write() as session:
        made = create_site(
            session, data["name"], origins, {}, secret=service().settings.secret_key, now=now()
        )
        record(session, moderator_caller().name, "site made", data["name"], now(), site_id=made.site_id)
    return made


@bp.get("/<string:site_id>/policy")
@requires(Who.MAINTAINER)
@bp.doc(summary="A site's policy")
@bp.response(200, PolicySchema)
def read_policy(site_id: str) -> Response:
    """The settings in force, with the ETag to send as If-Match with a change."""
    with service().database.read() as session:
        versions = policy_versions(session, site_id, limit=1)
    version = versions[0].version if versions else 0
    response = jsonify(_policy_view(policy_from(versions[0].settings if versions else {}, version)))
    response.set_etag(str(version))
    return response


@bp.put("/<string:site_id>/policy")
@requires(Who.MAINTAINER)
@bp.doc(summary="Change a site's policy", parameters=[_IF_MATCH])
@bp.arguments(PolicyChangeSchema)
@bp.response(200, PolicySchema)
def write_policy(data: dict[str, Any], site_id: str) -> dict[str, Any]:
    """A new version comes into force; comments judged before stay as they are."""
    expected, who = expected_version(), moderator_caller().name
    with service().database.write() as session:
        try:
            policy = change_policy(session, site_id, data["settings"], now(), made_by=who, expected=expected)
        except ValueError as error:
            raise unusable(error) from None
    return _policy_view(policy)


@bp.post("/<string:site_id>/policy/preview")
@requires(Who.MAINTAINER)
@bp.doc(summary="What a change of the policy would do")
@bp.arguments(PolicyChangeSchema)
@bp.response(200, EffectSchema)
def preview_policy(data: dict[str, Any], site_id: str) -> Effect:
    """The latest comments judged once more; nothing is changed."""
    return effect(site_id, data["settings"])


@bp.get("/<string:site_id>/promises")
@requires(Who.MAINTAINER)
@bp.doc(summary="What a site promises, and whether it is proven")
@bp.response(200, PromisesSchema)
def read_promises(site_id: str) -> dict[str, Any]:
    """For the model in use: the thresholds that labels prove, or how many are missing."""
    with service().database.read() as session:
        policy_versions(session, site_id, limit=1)
        return promises_of(session, site_id)


@bp.get("/<string:site_id>/keys")
@requires(Who.MAINTAINER)
@bp.doc(summary="A site's keys")
@bp.response(200, KeyListSchema)
def read_keys(site_id: str) -> dict[str, Any]:
    """By a part of their digest, revoked ones too."""
    with service().database.read() as session:
        return {"items": site_keys(session, site_id)}


@bp.post("/<string:site_id>/keys")
@requires(Who.MAINTAINER)
@bp.doc(summary="Give a site another key")
@bp.arguments(NewKeySchema)
@bp.response(201, KeyMadeSchema)
def create_key(data: dict[str, Any], site_id: str) -> dict[str, str]:
    """Shown this once. The old one stays good until it is revoked, so that a site can change over."""
    secret, who = service().settings.secret_key, moderator_caller().name
    with service().database.write() as session:
        return {"key": new_site_key(session, site_id, KeyKind(data["kind"]), who, secret=secret, now=now())}


def effect(site_id: str, changes: dict[str, Any]) -> Effect:
    """What these changes of a site's policy would do; raises NotFound and a Problem."""
    with service().database.read() as session:
        versions = policy_versions(session, site_id, limit=1)
        stored = versions[0].settings if versions else {}
        try:
            proposed = policy_from({**stored, **changes}, (versions[0].version if versions else 0) + 1)
        except ValueError as error:
            raise unusable(error) from None
        points, version = model_thresholds(), _model_version()
        return effect_of(session, site_id, proposed, points, now(), model_version=version)


def promises_of(session: Session, site_id: str) -> dict[str, Any]:
    """What a site promises and what is proven of it; of what is not looked into yet, nothing is."""
    policy = current_policies(session, {site_id}).get(site_id, PolicySettings())
    version = _model_version()
    proven = read_proofs(session, {site_id: policy}).get((site_id, version))
    items = [
        {"category": category, "side": side, "share": share, "proof": _proof(proven, category, side)}
        for category, promise in policy.promises.items()
        for side, share in (("publish", promise.publish), ("reject", promise.reject))
        if share is not None
    ]
    return {"model_version": version, "confidence": policy.promise_confidence, "items": items}


def _proof(proven: Mapping[str, Proven] | None, category: str, side: str) -> Proof | None:
    found = (proven or {}).get(category, Proven())
    return found.hold if side == "publish" else found.reject


def model_thresholds() -> dict[str, Threshold]:
    """The champion's own; none without a model, and then a person looks at every second guess."""
    try:
        return dict(service().scorer.operating_points())
    except ModelError:
        return {}


def _model_version() -> str:
    try:
        return service().scorer.current().version
    except ModelError:
        return ""


def unusable(error: Exception) -> Problem:
    """A setting that cannot be used, as a Problem."""
    return Problem("invalid", str(error), errors=[{"pointer": "/settings", "detail": str(error)}])


def checked_origin(origin: str) -> str:
    """Scheme and host alone; raises a Problem."""
    parts = urlsplit(origin)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path not in {"", "/"}:
        told = "takes scheme and host, such as https://blog.example.org"
        raise Problem("invalid", told, errors=[{"pointer": "/allowed_origins", "detail": told}])
    return f"{parts.scheme}://{parts.netloc}"


def _policy_view(policy: PolicySettings) -> dict[str, Any]:
    settings = asdict(policy)
    return {"version": settings.pop("version"), "settings": settings}


def _site_view(site: Any, policy: PolicySettings) -> dict[str, Any]:
    return {
        "id": site.id,
        "name": site.name,
        "allowed_origins": site.allowed_origins,
        "created_at": site.created_at,
        "policy_version": policy.version,
        "mode": policy.mode,
    }
