"""Shadows: let a model version score what comes beside the one in force, and see how it differs."""

from typing import Any

from moderation.api.access import Who, moderator_caller, now, requires
from moderation.api.bodies import ApiBlueprint
from moderation.api.models import or_problem
from moderation.api.service import service
from moderation.models import Shadow
from moderation.schemas.learning import ShadowSchema
from moderation.services.errors import NotFound, ShadowRefused
from moderation.services.shadows import begin_shadow, compare, end_shadow, get_shadow

bp = ApiBlueprint("shadows", __name__, url_prefix="/api/v1/models", description="Scoring without deciding")

BY_HAND = "by hand"


@bp.post("/<string:version>/shadow")
@requires(Who.MAINTAINER)
@bp.doc(summary="Let a version score in the shadow")
@bp.response(201, ShadowSchema)
@bp.alt_response(409, description="Another one does, or it is in force")
def begin(version: str) -> dict[str, Any]:
    """Within seconds workers score what comes with it too; it decides nothing."""
    return begun(version)


@bp.get("/<string:version>/shadow")
@requires(Who.MAINTAINER)
@bp.doc(summary="What a version's time in the shadow shows")
@bp.response(200, ShadowSchema)
def read(version: str) -> dict[str, Any]:
    """The latest time: how many comments, how many verdicts would differ, by how much its scores do."""
    with service().database.read() as session:
        shadow = get_shadow(session, version)
        return _view(shadow) | {"comparison": compare(session, shadow)}


@bp.delete("/<string:version>/shadow")
@requires(Who.MAINTAINER)
@bp.doc(summary="End a version's time in the shadow")
@bp.response(200, ShadowSchema)
def end(version: str) -> dict[str, Any]:
    """What it said is kept for 30 days."""
    return ended(version)


def begun(version: str) -> dict[str, Any]:
    """Begin; raises a Problem and ShadowRefused."""
    scorer = service().scorer
    if version == or_problem(scorer.current).version:
        raise ShadowRefused("it is in force")
    # Loaded once here, so that whoever asks hears of it if it cannot be.
    or_problem(lambda: scorer.of_version(version))
    with service().database.write() as session:
        shadow = begin_shadow(session, version, moderator_caller().name, now())
        return _view(shadow) | {"comparison": compare(session, shadow)}


def ended(version: str) -> dict[str, Any]:
    """End; raises NotFound if it is not on."""
    with service().database.write() as session:
        shadow = get_shadow(session, version)
        if not end_shadow(session, shadow, moderator_caller().name, BY_HAND, now()):
            raise NotFound("shadow")
        session.refresh(shadow)
        return _view(shadow) | {"comparison": compare(session, shadow)}


def _view(shadow: Shadow) -> dict[str, Any]:
    return {
        "id": shadow.id,
        "model_version": shadow.model_version,
        "begun_by": shadow.begun_by,
        "begun_at": shadow.begun_at,
        "ended_at": shadow.ended_at,
        "ended_because": shadow.ended_because,
    }
