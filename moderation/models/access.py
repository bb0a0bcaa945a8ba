"""Moderators and the keys of sites and moderators."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from moderation.models.base import Base


class Role(StrEnum):
    """What a person may do: a maintainer may do all a moderator may, and runs models and labels."""

    MODERATOR = "moderator"
    MAINTAINER = "maintainer"


class KeyKind(StrEnum):
    """Where a key is accepted."""

    SITE_SECRET = "site_secret"  # noqa: S105 - the name of a kind of key
    SITE_PUBLIC = "site_public"
    SITE_AKISMET = "site_akismet"
    MODERATOR = "moderator"


class Moderator(Base):
    """A person who decides."""

    __tablename__ = "moderators"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    password_hash: Mapped[str | None]
    # Sessions of the console that began before are over.
    sessions_since: Mapped[datetime | None]


class AccessKey(Base):
    """A key, known only by its keyed hash."""

    __tablename__ = "access_keys"

    digest: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    site_id: Mapped[str | None] = mapped_column(ForeignKey("sites.id"))
    moderator_id: Mapped[str | None] = mapped_column(ForeignKey("moderators.id"))
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class SharedSecret(Base):
    """What another system signs its requests with on behalf of a site; needed in full to check them."""

    __tablename__ = "shared_secrets"

    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    purpose: Mapped[str] = mapped_column(primary_key=True)
    secret: Mapped[str]
    created_at: Mapped[datetime]


class AuditLine(Base):
    """An act of administration: who did what to what, and when; append-only, and never a secret."""

    __tablename__ = "audit_lines"

    id: Mapped[str] = mapped_column(primary_key=True)
    actor: Mapped[str]
    act: Mapped[str]
    subject: Mapped[str]
    details: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
