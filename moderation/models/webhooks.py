"""Endpoints that are told of events, and the deliveries to them: the outbox."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from moderation.models.base import Base


class WebhookEndpoint(Base):
    """An address of a site, the events it asks for, and how it fares.

    No secret is kept: it is computed from the installation's key and the salt.
    """

    __tablename__ = "webhook_endpoints"

    id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"), index=True)
    url: Mapped[str]
    events: Mapped[list[Any]]
    enabled: Mapped[bool]
    # Why it was disabled, if nobody did it by hand.
    disabled_reason: Mapped[str | None]
    include_body: Mapped[bool]
    include_moderator: Mapped[bool]
    salt: Mapped[str]
    # After a rotation both secrets sign until then.
    previous_salt: Mapped[str | None]
    previous_until: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]
    # It asked to be left alone until then.
    paused_until: Mapped[datetime | None]
    # One worker at a time delivers to it, and says so anew before each try.
    taken_by: Mapped[str | None]
    taken_until: Mapped[datetime | None]
    # When its last turn began: who waited longest is next.
    served_at: Mapped[datetime | None]
    # Its last try took long; until one does not, it shares a few places with others like it.
    slow_since: Mapped[datetime | None]
    created_at: Mapped[datetime]


class WebhookDelivery(Base):
    """One event on its way to one endpoint; its id is the `webhook-id` of every try."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        Index(
            "ix_webhook_deliveries_waiting",
            "endpoint_id",
            "due_at",
            sqlite_where=text("finished_at IS NULL"),
            postgresql_where=text("finished_at IS NULL"),
        ),
        Index("ix_webhook_deliveries_endpoint_id_id", "endpoint_id", "id"),
        Index("ix_webhook_deliveries_finished_at", "finished_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    endpoint_id: Mapped[str] = mapped_column(ForeignKey("webhook_endpoints.id"))
    event: Mapped[str]
    # As it is sent, the same at every try.
    body: Mapped[str]
    status: Mapped[str]
    attempts: Mapped[int]
    due_at: Mapped[datetime]
    answer_status: Mapped[int | None]
    answer_bytes: Mapped[int | None]
    trouble: Mapped[str | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class AnnouncedModel(Base):
    """The model that was told of last: one row, changed with the deliveries that tell of another."""

    __tablename__ = "announced_models"

    name: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str]
    announced_at: Mapped[datetime]
