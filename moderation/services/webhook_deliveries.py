"""Deliveries that are due: whose turn it is, what is sent, and what became of it.

One worker at a time has an endpoint. It renews that before each try, so that a delivery is never on its way
twice, and another takes over when it died.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from moderation.domain.webhooks import (
    GONE,
    SLOW_SECONDS,
    THROTTLED_SECONDS,
    THROTTLING,
    DeliveryStatus,
    next_try,
)
from moderation.models import WebhookDelivery, WebhookEndpoint
from moderation.services.webhooks import valid_salts

# Longer than any try may last, name look-up included.
TAKEN = timedelta(seconds=120)
# After so long without a success an endpoint is disabled.
PATIENCE = timedelta(days=5)
DELIVERED_KEPT = timedelta(days=7)
DEAD_KEPT = timedelta(days=30)
DELETED_AT_ONCE = 1000


@dataclass(frozen=True)
class Errand:
    """One try to be made."""

    delivery_id: str
    endpoint_id: str
    url: str
    body: str
    salts: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What came back: a status, or the trouble that kept one from coming."""

    status: int | None = None
    size: int | None = None
    trouble: str | None = None
    retry_after: float | None = None
    seconds: float = 0.0

    @property
    def succeeded(self) -> bool:
        return self.status is not None and 200 <= self.status < 300 and self.trouble is None


@dataclass(frozen=True)
class Outcome:
    """What became of a try, for the log and the figures."""

    name: str
    disabled: str | None = None


def due_endpoints(
    session: Session, now: datetime, most: int, but: Collection[str] = (), *, slow: bool | None = None
) -> Sequence[str]:
    """Endpoints with anything due that nobody has at hand, who waited longest for a turn first.

    `slow`: only those that were slow last time, or only the others.
    """
    oldest = (
        select(_D.due_at)
        .where(_D.endpoint_id == _E.id, _D.finished_at.is_(None))
        .order_by(_D.due_at)
        .limit(1)
        .correlate(_E)
        .scalar_subquery()
    )
    query = (
        select(_E.id)
        .where(_E.enabled, _is_free(now), or_(_E.paused_until.is_(None), _E.paused_until <= now))
        .where(oldest <= now, _E.id.not_in(list(but)))
        .order_by(_E.served_at.nulls_first(), oldest, _E.id)
        .limit(most)
    )
    if slow is not None:
        query = query.where(_E.slow_since.is_not(None) if slow else _E.slow_since.is_(None))
    return session.scalars(query).all()


def take_endpoint(session: Session, endpoint_id: str, worker: str, now: datetime) -> bool:
    """Whether this worker has the endpoint from now on."""
    mine_or_free = or_(_is_free(now), _E.taken_by == worker)
    return _hold(session, endpoint_id, worker, now, mine_or_free, served_at=now)


def next_errand(session: Session, endpoint_id: str, worker: str, now: datetime) -> Errand | None:
    """The oldest due delivery, with the endpoint's hold renewed; None if there is nothing to do any more."""
    if not _hold(session, endpoint_id, worker, now, _E.taken_by == worker):
        return None
    endpoint = session.get(WebhookEndpoint, endpoint_id, populate_existing=True)
    if endpoint is None or not endpoint.enabled or (endpoint.paused_until and endpoint.paused_until > now):
        return None
    delivery = session.scalar(
        select(_D)
        .where(_D.endpoint_id == endpoint_id, _D.finished_at.is_(None), _D.due_at <= now)
        .order_by(_D.due_at, _D.id)
        .limit(1)
    )
    if delivery is None:
        return None
    salts = tuple(valid_salts(endpoint, now))
    return Errand(delivery.id, endpoint_id, endpoint.url, delivery.body, salts)


def release_endpoint(session: Session, endpoint_id: str, worker: str) -> None:
    """Leave the endpoint to whoever comes next."""
    session.execute(
        update(_E).where(_E.id == endpoint_id, _E.taken_by == worker).values(taken_by=None, taken_until=None)
    )


def record_answer(session: Session, errand: Errand, answer: Answer, chance: float, now: datetime) -> Outcome:
    """Record what became of a try, and when the next one is due."""
    endpoint = session.get(WebhookEndpoint, errand.endpoint_id, with_for_update={"key_share": True})
    delivery = session.get(WebhookDelivery, errand.delivery_id, with_for_update=True)
    if delivery is None or endpoint is None:
        return Outcome("removed")
    delivery.attempts += 1
    delivery.answer_status, delivery.answer_bytes = answer.status, answer.size
    delivery.trouble = answer.trouble
    endpoint.slow_since = (endpoint.slow_since or now) if answer.seconds >= SLOW_SECONDS else None
    if answer.succeeded:
        endpoint.failing_since = endpoint.paused_until = None
        return _finish(delivery, DeliveryStatus.DELIVERED, now)
    endpoint.failing_since = endpoint.failing_since or now
    if answer.status in THROTTLING:
        endpoint.paused_until = now + timedelta(
            seconds=next_try(1, 0.0, answer.retry_after or THROTTLED_SECONDS) or 0.0
        )
    disabled = _why_disable(endpoint, answer, now)
    if disabled is not None and endpoint.enabled:
        endpoint.enabled, endpoint.disabled_reason = False, disabled
    else:
        disabled = None
    pause = None if answer.status == GONE else next_try(delivery.attempts, chance, answer.retry_after)
    if pause is None:
        return Outcome(_finish(delivery, DeliveryStatus.DEAD, now).name, disabled)
    delivery.due_at = now + timedelta(seconds=pause)
    return Outcome("failed", disabled)


def has_due(session: Session, now: datetime) -> bool:
    """Whether anything is to be delivered that nobody is at."""
    return bool(due_endpoints(session, now, 1))


def delete_old(session: Session, now: datetime) -> int:
    """Delete some of what was finished long ago, dead ones later; how many."""
    old = (
        select(_D.id)
        .where(_D.finished_at < now - DELIVERED_KEPT)
        .where(or_(_D.status == DeliveryStatus.DELIVERED, _D.finished_at < now - DEAD_KEPT))
        .limit(DELETED_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    ids = session.scalars(old).all()
    if ids:
        session.execute(delete(_D).where(_D.id.in_(ids)))
    return len(ids)


def has_old(session: Session, now: datetime) -> bool:
    """Whether anything is old enough to be looked at for deletion."""
    old = select(_D.id).where(_D.finished_at < now - DELIVERED_KEPT)
    old = old.where(or_(_D.status == DeliveryStatus.DELIVERED, _D.finished_at < now - DEAD_KEPT))
    return session.scalar(old.limit(1)) is not None


def _finish(delivery: WebhookDelivery, status: DeliveryStatus, now: datetime) -> Outcome:
    delivery.status, delivery.finished_at = status, now
    return Outcome(status.value)


def _why_disable(endpoint: WebhookEndpoint, answer: Answer, now: datetime) -> str | None:
    if answer.status == GONE:
        return "gone"
    failing = endpoint.failing_since
    return "failing" if failing is not None and now - failing >= PATIENCE else None


def _hold(
    session: Session, endpoint_id: str, worker: str, now: datetime, condition: Any, **more: Any
) -> bool:
    held = session.scalar(
        update(_E)
        .where(_E.id == endpoint_id, condition)
        .values(taken_by=worker, taken_until=now + TAKEN, **more)
        .returning(_E.id)
        .execution_options(synchronize_session=False)
    )
    return held is not None


def _is_free(now: datetime) -> Any:
    return or_(_E.taken_until.is_(None), _E.taken_until < now)


_D, _E = WebhookDelivery, WebhookEndpoint
