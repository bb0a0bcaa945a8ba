"""Secrets that other systems sign their requests with: kept by site and purpose, one each."""

from datetime import datetime

from sqlalchemy.orm import Session

from moderation.models import SharedSecret, Site
from moderation.services.errors import NotFound

CORAL = "coral"


def keep_secret(session: Session, site_id: str, purpose: str, secret: str, now: datetime) -> None:
    """Keep a secret in the place of the one before; raises NotFound."""
    if session.get(Site, site_id) is None:
        raise NotFound("site")
    session.merge(SharedSecret(site_id=site_id, purpose=purpose, secret=secret, created_at=now))


def secret_of(session: Session, site_id: str, purpose: str) -> str | None:
    """The secret of a site, None if it has none."""
    row = session.get(SharedSecret, (site_id, purpose))
    return None if row is None else row.secret
