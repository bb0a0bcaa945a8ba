"""Keys: making them, and finding out who calls."""

import hmac
import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from moderation.models import AccessKey, KeyKind, Moderator, Policy, Role, Site, new_id
from moderation.services.errors import ServiceError

# WordPress refuses any other length without asking, and a key may be a DNS label (lower case).
AKISMET_KEY_LENGTH = 12
PUBLIC_PREFIX = "gr_public_"
_AKISMET_ALPHABET = string.ascii_lowercase + string.digits


@dataclass(frozen=True)
class SiteCaller:
    """A site that showed one of its keys."""

    site_id: str
    kind: KeyKind
    allowed_origins: tuple[str, ...]


@dataclass(frozen=True)
class ModeratorCaller:
    """A moderator or maintainer who showed their key."""

    moderator_id: str
    name: str
    role: Role


Caller = SiteCaller | ModeratorCaller


@dataclass(frozen=True)
class NewSite:
    """A site just made; the keys are shown once and kept only as hashes."""

    site_id: str
    secret_key: str
    public_key: str
    akismet_key: str


@dataclass(frozen=True)
class NewModerator:
    """A moderator just made; the key is shown once."""

    moderator_id: str
    key: str


class NameTaken(ServiceError):
    """A moderator of this name exists."""


def key_digest(key: str, secret: bytes) -> str:
    """The keyed hash (HMAC-SHA-256, RFC 2104) under which a key is kept.

    Keyed, because an Akismet key has only 62 bits and a plain hash of it could be searched through.
    """
    return hmac.digest(secret, b"key:" + key.encode("utf-8", "surrogatepass"), "sha256").hex()


def authenticate(session: Session, digest: str) -> Caller | None:
    """Whose key has this digest; None for an unknown, revoked or disabled one."""
    row = session.execute(
        select(AccessKey, Site, Moderator)
        .outerjoin(Site, Site.id == AccessKey.site_id)
        .outerjoin(Moderator, Moderator.id == AccessKey.moderator_id)
        .where(AccessKey.digest == digest, AccessKey.revoked_at.is_(None))
    ).one_or_none()
    if row is None or not hmac.compare_digest(row.AccessKey.digest, digest):
        return None
    if row.Site is not None:
        return SiteCaller(row.Site.id, KeyKind(row.AccessKey.kind), tuple(row.Site.allowed_origins))
    if row.Moderator is None or row.Moderator.disabled_at is not None:
        return None
    return ModeratorCaller(row.Moderator.id, row.Moderator.name, Role(row.Moderator.role))


def create_site(
    session: Session,
    name: str,
    origins: Sequence[str],
    settings: dict[str, object],
    *,
    secret: bytes,
    now: datetime,
) -> NewSite:
    """Make a site with its three keys and the first version of its policy."""
    site_id = new_id("site")
    new = NewSite(
        site_id=site_id,
        secret_key=f"gr_secret_{secrets.token_urlsafe(32)}",
        public_key=f"{PUBLIC_PREFIX}{secrets.token_urlsafe(16)}",
        akismet_key="".join(secrets.choice(_AKISMET_ALPHABET) for _ in range(AKISMET_KEY_LENGTH)),
    )
    session.add(Site(id=site_id, name=name, allowed_origins=list(origins), created_at=now))
    session.flush()
    session.add(Policy(site_id=site_id, version=1, settings=settings, created_at=now))
    for kind, key in (
        (KeyKind.SITE_SECRET, new.secret_key),
        (KeyKind.SITE_PUBLIC, new.public_key),
        (KeyKind.SITE_AKISMET, new.akismet_key),
    ):
        session.add(AccessKey(digest=key_digest(key, secret), kind=kind, site_id=site_id, created_at=now))
    return new


def create_moderator(
    session: Session, name: str, role: Role, *, secret: bytes, now: datetime
) -> NewModerator:
    """Make a moderator with a key; raises NameTaken."""
    if name_taken(session, name):
        raise NameTaken(f"a moderator named {name!r} exists")
    new = NewModerator(new_id("mod"), f"gr_mod_{secrets.token_urlsafe(32)}")
    session.add(Moderator(id=new.moderator_id, name=name, role=role, created_at=now))
    session.flush()
    session.add(
        AccessKey(
            digest=key_digest(new.key, secret),
            kind=KeyKind.MODERATOR,
            moderator_id=new.moderator_id,
            created_at=now,
        )
    )
    return new


def name_taken(session: Session, name: str) -> bool:
    """Whether a moderator has this name."""
    return session.scalar(select(Moderator.id).where(Moderator.name == name)) is not None


def list_sites(session: Session) -> Sequence[Site]:
    """Every site, oldest first."""
    return session.scalars(select(Site).order_by(Site.id)).all()


def origin_is_known(session: Session, origin: str) -> bool:
    """Whether any site allows browsers of this origin."""
    return any(origin in site.allowed_origins for site in list_sites(session))
