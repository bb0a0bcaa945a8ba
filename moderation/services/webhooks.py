"""Endpoints of webhooks: make, list, change, rotate the secret, remove."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from moderation.domain.webhooks import DeliveryStatus
from moderation.models import Site, WebhookDelivery, WebhookEndpoint, new_id
from moderation.services.audit import record
from moderation.services.errors import NotFound

ROTATION_HOURS = 24.0
# In one transaction, so that deliveries go on in between.
REPLAYED_AT_ONCE = 500
# In the record of administration.
REPLAYED = "webhook replayed"
CHANGEABLE = frozenset({"url", "events", "enabled", "include_body", "include_moderator"})


@dataclass(frozen=True)
class EndpointWish:
    """What somebody wants of a new endpoint; the address was checked."""

    site_id: str
    url: str
    events: Sequence[str]
    include_body: bool = False
    include_moderator: bool = False


def create_endpoint(session: Session, wish: EndpointWish, now: datetime) -> WebhookEndpoint:
    """Make an endpoint; raises NotFound for a site that is not there."""
    if session.get(Site, wish.site_id) is None:
        raise NotFound("site")
    endpoint = WebhookEndpoint(
        id=new_id("whe"),
        site_id=wish.site_id,
        url=wish.url,
        events=sorted(set(wish.events)),
        enabled=True,
        include_body=wish.include_body,
        include_moderator=wish.include_moderator,
        salt=_salt(),
        created_at=now,
    )
    session.add(endpoint)
    session.flush()
    return endpoint


def list_endpoints(
    session: Session, site_id: str | None, after: str, limit: int
) -> Sequence[WebhookEndpoint]:
    """Endpoints, oldest first."""
    query = select(WebhookEndpoint).where(WebhookEndpoint.id > after)
    if site_id is not None:
        query = query.where(WebhookEndpoint.site_id == site_id)
    return session.scalars(query.order_by(WebhookEndpoint.id).limit(limit)).all()


def get_endpoint(session: Session, endpoint_id: str, *, lock: bool = False) -> WebhookEndpoint:
    """One endpoint; raises NotFound."""
    endpoint = session.get(
        WebhookEndpoint, endpoint_id, with_for_update={"key_share": True} if lock else None
    )
    if endpoint is None:
        raise NotFound("endpoint")
    return endpoint


def change_endpoint(session: Session, endpoint_id: str, changes: dict[str, Any]) -> WebhookEndpoint:
    """Change what is given; enabled by hand, it starts with a clean record."""
    endpoint = get_endpoint(session, endpoint_id, lock=True)
    for name in CHANGEABLE & changes.keys():
        setattr(endpoint, name, changes[name])
    if "enabled" in changes:
        endpoint.disabled_reason = None
        endpoint.failing_since = endpoint.paused_until = None
    return endpoint


def rotate_secret(session: Session, endpoint_id: str, hours: float, now: datetime) -> WebhookEndpoint:
    """Give an endpoint a new secret; the one before it goes on signing beside it for some hours."""
    endpoint = get_endpoint(session, endpoint_id, lock=True)
    endpoint.previous_salt = endpoint.salt if hours else None
    endpoint.previous_until = now + timedelta(hours=hours) if hours else None
    endpoint.salt = _salt()
    return endpoint


def remove_endpoint(session: Session, endpoint_id: str) -> None:
    """Remove an endpoint with all that was to be told to it."""
    # The strongest lock: it waits for whoever is writing a delivery, which would lose its endpoint,
    # and lets nobody begin to. All who lock both take the endpoint first.
    endpoint = session.get(WebhookEndpoint, endpoint_id, with_for_update=True)
    if endpoint is None:
        raise NotFound("endpoint")
    session.execute(delete(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint_id))
    session.delete(endpoint)


def valid_salts(endpoint: WebhookEndpoint, now: datetime) -> list[str]:
    """The salts whose secrets sign now: one, or two during a rotation."""
    salts = [endpoint.salt]
    if endpoint.previous_salt and endpoint.previous_until and now < endpoint.previous_until:
        salts.append(endpoint.previous_salt)
    return salts


def list_deliveries(
    session: Session, endpoint_id: str, status: str | None, before: str | None, limit: int
) -> Sequence[WebhookDelivery]:
    """Deliveries to an endpoint, newest first; raises NotFound."""
    get_endpoint(session, endpoint_id)
    query = select(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint_id)
    if status is not None:
        query = query.where(WebhookDelivery.status == status)
    if before is not None:
        query = query.where(WebhookDelivery.id < before)
    return session.scalars(query.order_by(WebhookDelivery.id.desc()).limit(limit)).all()


def replay(session: Session, delivery_id: str, actor: str, now: datetime) -> WebhookDelivery:
    """Send a finished delivery again, under the same id; one that waits is due at once."""
    delivery = session.get(WebhookDelivery, delivery_id, with_for_update=True)
    if delivery is None:
        raise NotFound("delivery")
    for name, value in _anew(now).items():
        setattr(delivery, name, value)
    record(session, actor, REPLAYED, delivery.endpoint_id, now, delivery=delivery_id)
    return delivery


def replay_dead(
    session: Session, endpoint_id: str, actor: str, now: datetime, *, after: str = ""
) -> Sequence[str]:
    """Send some dead deliveries of an endpoint again; their ids, of which the last leads to the next ones."""
    get_endpoint(session, endpoint_id)
    dead = (
        select(WebhookDelivery.id)
        .where(WebhookDelivery.endpoint_id == endpoint_id, WebhookDelivery.id > after)
        .where(WebhookDelivery.status == DeliveryStatus.DEAD)
        .order_by(WebhookDelivery.id)
        .limit(REPLAYED_AT_ONCE)
        .with_for_update()
    )
    ids = session.scalars(dead).all()
    if ids:
        session.execute(update(WebhookDelivery).where(WebhookDelivery.id.in_(ids)).values(_anew(now)))
        record(session, actor, REPLAYED, endpoint_id, now, dead=len(ids))
    return ids


def count_enabled(session: Session) -> int:
    """How many endpoints are told of anything."""
    return session.scalar(select(func.count()).where(WebhookEndpoint.enabled)) or 0


def _anew(now: datetime) -> dict[str, Any]:
    return {"status": DeliveryStatus.WAITING, "attempts": 0, "due_at": now, "finished_at": None}


def _salt() -> str:
    return secrets.token_hex(16)
