"""Those who moderate, and everybody's keys: change a role, let out and in, give a new key, take one away."""

import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from moderation.models import AccessKey, KeyKind, Moderator, Role, Site
from moderation.services.access import AKISMET_KEY_LENGTH, PUBLIC_PREFIX, key_digest
from moderation.services.audit import record
from moderation.services.errors import NotAllowed, NotFound

# By so much of its digest a key is named: enough to tell keys apart, nothing to sign in with.
KEY_ID_LENGTH = 12


@dataclass(frozen=True)
class KeyInfo:
    """A key as it may be shown: never the key itself, which nobody has."""

    key_id: str
    kind: str
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True)
class Person:
    """A moderator with their keys."""

    moderator: Moderator
    keys: Sequence[KeyInfo]


def list_people(session: Session) -> list[Person]:
    """Everybody, in the order they came."""
    keys = _keys_by(session, AccessKey.moderator_id)
    people = session.scalars(select(Moderator).order_by(Moderator.id))
    return [Person(person, keys.get(person.id, [])) for person in people]


def site_keys(session: Session, site_id: str) -> Sequence[KeyInfo]:
    """A site's keys, the newest last; raises NotFound."""
    if session.get(Site, site_id) is None:
        raise NotFound("site")
    return _keys_by(session, AccessKey.site_id).get(site_id, [])


def change_role(session: Session, moderator_id: str, role: Role, actor: str, now: datetime) -> Moderator:
    """Raises NotFound, and NotAllowed when nobody would be left to maintain."""
    person = _locked(session, moderator_id)
    if person.role != role:
        if role is not Role.MAINTAINER:
            _refuse_without_maintainer(session, person)
        record(session, actor, "role changed", person.name, now, role=role, before=person.role)
        person.role = role
    return person


def disable(session: Session, moderator_id: str, actor: str, now: datetime) -> Moderator:
    """Let somebody out at once: no key and no session of theirs is good any more.

    Raises NotFound, and NotAllowed when nobody would be left to maintain.
    """
    person = _locked(session, moderator_id)
    if person.disabled_at is None:
        _refuse_without_maintainer(session, person)
        person.disabled_at = now
        record(session, actor, "disabled", person.name, now)
    return person


def enable(session: Session, moderator_id: str, actor: str, now: datetime) -> Moderator:
    """Let somebody in again, with the keys they had; raises NotFound."""
    person = _locked(session, moderator_id)
    if person.disabled_at is not None:
        person.disabled_at = None
        record(session, actor, "enabled", person.name, now)
    return person


def keep_password(session: Session, moderator_id: str, kept: str, now: datetime) -> Moderator:
    """Keep the hash of a new password; every session that began before is over. Raises NotFound."""
    person = session.get(Moderator, moderator_id, with_for_update=True)
    if person is None:
        raise NotFound("moderator")
    person.password_hash, person.sessions_since = kept, now
    record(session, person.name, "password set", person.name, now)
    return person


def named(session: Session, name: str) -> Moderator | None:
    """Who has this name and is not let out."""
    return session.scalars(
        select(Moderator).where(Moderator.name == name, Moderator.disabled_at.is_(None))
    ).one_or_none()


def new_moderator_key(
    session: Session, moderator_id: str, actor: str, *, secret: bytes, now: datetime
) -> str:
    """Another key, shown this once; those before stay good until they are revoked; raises NotFound."""
    person = _locked(session, moderator_id)
    key = f"gr_mod_{secrets.token_urlsafe(32)}"
    session.add(
        AccessKey(
            digest=key_digest(key, secret), kind=KeyKind.MODERATOR, moderator_id=person.id, created_at=now
        )
    )
    record(session, actor, "key made", person.name, now)
    return key


def new_site_key(
    session: Session, site_id: str, kind: KeyKind, actor: str, *, secret: bytes, now: datetime
) -> str:
    """Another key of a site, shown this once; those before stay good until revoked; raises NotFound."""
    site = session.get(Site, site_id)
    if site is None:
        raise NotFound("site")
    key = _made(kind)
    session.add(AccessKey(digest=key_digest(key, secret), kind=kind, site_id=site_id, created_at=now))
    record(session, actor, "key made", site.name, now, kind=kind)
    return key


def revoke_key(session: Session, key_id: str, actor: str, now: datetime) -> KeyInfo:
    """Take a key away for good; doing so again changes nothing; raises NotFound.

    Raises NotAllowed for the last key of the last maintainer who has one.
    """
    if len(key_id) != KEY_ID_LENGTH:
        raise NotFound("key")
    key = session.scalars(
        select(AccessKey).where(AccessKey.digest.startswith(key_id, autoescape=True)).with_for_update()
    ).one_or_none()
    if key is None:
        raise NotFound("key")
    if key.revoked_at is None:
        _refuse_last_key(session, key)
        key.revoked_at = now
        record(session, actor, "key revoked", key_id, now, kind=key.kind)
    return _told(key)


def _made(kind: KeyKind) -> str:
    if kind is KeyKind.SITE_SECRET:
        return f"gr_secret_{secrets.token_urlsafe(32)}"
    if kind is KeyKind.SITE_PUBLIC:
        return f"{PUBLIC_PREFIX}{secrets.token_urlsafe(16)}"
    if kind is KeyKind.SITE_AKISMET:
        letters = string.ascii_lowercase + string.digits
        return "".join(secrets.choice(letters) for _ in range(AKISMET_KEY_LENGTH))
    raise ValueError("a site has a secret, a public and an Akismet key")


def _keys_by(session: Session, owner: object) -> dict[str, list[KeyInfo]]:
    found: dict[str, list[KeyInfo]] = {}
    query = select(AccessKey, owner.label("owner")).where(owner.is_not(None))  # type: ignore[attr-defined]
    for row in session.execute(query.order_by(AccessKey.created_at, AccessKey.digest)):
        found.setdefault(row.owner, []).append(_told(row.AccessKey))
    return found


def _told(key: AccessKey) -> KeyInfo:
    return KeyInfo(key.digest[:KEY_ID_LENGTH], key.kind, key.created_at, key.revoked_at)


def _locked(session: Session, moderator_id: str) -> Moderator:
    # All maintainers, in one order: two who let each other out at once must not both succeed.
    session.execute(
        select(Moderator.id).where(Moderator.role == Role.MAINTAINER).order_by(Moderator.id).with_for_update()
    )
    person = session.get(Moderator, moderator_id, with_for_update=True, populate_existing=True)
    if person is None:
        raise NotFound("moderator")
    return person


def _refuse_without_maintainer(session: Session, person: Moderator) -> None:
    if person.role != Role.MAINTAINER or person.disabled_at is not None:
        return
    others = session.scalar(
        select(func.count()).where(
            Moderator.role == Role.MAINTAINER, Moderator.disabled_at.is_(None), Moderator.id != person.id
        )
    )
    if not others:
        raise NotAllowed(f"{person.name} is the last maintainer; make another one first")


def _refuse_last_key(session: Session, key: AccessKey) -> None:
    if key.moderator_id is None or session.get_one(Moderator, key.moderator_id).role != Role.MAINTAINER:
        return
    others = session.scalar(
        select(func.count())
        .select_from(AccessKey)
        .join(Moderator, Moderator.id == AccessKey.moderator_id)
        .where(
            AccessKey.revoked_at.is_(None),
            AccessKey.digest != key.digest,
            Moderator.role == Role.MAINTAINER,
            Moderator.disabled_at.is_(None),
        )
    )
    if not others:
        raise NotAllowed("it is the last key of the last maintainer; make another one first")
