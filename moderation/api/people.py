"""Those who moderate, everybody's keys, and the record of administration: for maintainers."""

from typing import Any

from moderation.api.access import Who, moderator_caller, now, requires
from moderation.api.bodies import ApiBlueprint
from moderation.api.service import service
from moderation.models import AuditLine, Role
from moderation.schemas.administration import (
    AuditQuerySchema,
    AuditSchema,
    KeyMadeSchema,
    KeySchema,
    ModeratorChangeSchema,
    ModeratorListSchema,
    ModeratorMadeSchema,
    ModeratorSchema,
    NewModeratorSchema,
)
from moderation.services.access import NewModerator, create_moderator
from moderation.services.audit import latest_acts, record
from moderation.services.people import (
    KeyInfo,
    Person,
    change_role,
    disable,
    enable,
    list_people,
    new_moderator_key,
    revoke_key,
)

bp = ApiBlueprint("people", __name__, url_prefix="/api/v1", description="People and keys")


@bp.get("/moderators")
@requires(Who.MAINTAINER)
@bp.doc(summary="Everybody who moderates")
@bp.response(200, ModeratorListSchema)
def read_moderators() -> dict[str, list[Person]]:
    """With their keys, by a part of the digest."""
    with service().database.read() as session:
        return {"items": list_people(session)}


@bp.post("/moderators")
@requires(Who.MAINTAINER)
@bp.doc(summary="Let somebody in")
@bp.arguments(NewModeratorSchema)
@bp.response(201, ModeratorMadeSchema)
def create_one(data: dict[str, Any]) -> NewModerator:
    """Their key is shown this once."""
    secret = service().settings.secret_key
    with service().database.write() as session:
        made = create_moderator(session, data["name"], Role(data["role"]), secret=secret, now=now())
        record(session, moderator_caller().name, "moderator made", data["name"], now(), role=data["role"])
    return made


@bp.patch("/moderators/<string:moderator_id>")
@requires(Who.MAINTAINER)
@bp.doc(summary="Change a role, let somebody out or in")
@bp.arguments(ModeratorChangeSchema)
@bp.response(200, ModeratorSchema)
def change_one(data: dict[str, Any], moderator_id: str) -> Person:
    """What is left out stays. The last maintainer cannot be let out."""
    who = moderator_caller().name
    with service().database.write() as session:
        if "role" in data:
            change_role(session, moderator_id, Role(data["role"]), who, now())
        if "disabled" in data:
            (disable if data["disabled"] else enable)(session, moderator_id, who, now())
        session.flush()
        return _person(list_people(session), moderator_id)


@bp.post("/moderators/<string:moderator_id>/keys")
@requires(Who.MAINTAINER)
@bp.doc(summary="Give somebody another key")
@bp.response(201, KeyMadeSchema)
def create_key(moderator_id: str) -> dict[str, str]:
    """Shown this once; those before stay good until they are revoked."""
    secret, who = service().settings.secret_key, moderator_caller().name
    with service().database.write() as session:
        return {"key": new_moderator_key(session, moderator_id, who, secret=secret, now=now())}


@bp.delete("/keys/<string:key_id>")
@requires(Who.MAINTAINER)
@bp.doc(summary="Revoke a key")
@bp.response(200, KeySchema)
def revoke_one(key_id: str) -> KeyInfo:
    """For good. A site's key may be remembered by web processes for five seconds more."""
    with service().database.write() as session:
        return revoke_key(session, key_id, moderator_caller().name, now())


@bp.get("/audit")
@requires(Who.MAINTAINER)
@bp.doc(summary="What was done to sites, people, keys and models")
@bp.arguments(AuditQuerySchema, location="query")
@bp.response(200, AuditSchema)
def read_audit(query: dict[str, Any]) -> dict[str, list[AuditLine]]:
    """The latest acts, newest first."""
    with service().database.read() as session:
        return {"items": list(latest_acts(session, query["limit"], subject=query.get("subject")))}


def _person(people: list[Person], moderator_id: str) -> Person:
    return next(person for person in people if person.moderator.id == moderator_id)
