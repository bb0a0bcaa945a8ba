"""What readers and moderators add to the queue: reports, remarks, and selections of many items."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from moderation.models.base import Base


class Outcome(StrEnum):
    """What became of a report."""

    UPHELD = "upheld"
    DISMISSED = "dismissed"


class RemarkKind(StrEnum):
    """What a moderator may do to an item short of deciding it."""

    NOTED = "noted"
    ESCALATED = "escalated"
    RELEASED = "released"


class Report(Base):
    """A reader's complaint about one text; `reporter` is a digest that tells readers apart."""

    __tablename__ = "reports"
    __table_args__ = (
        # One a reader and text, however often they press the button.
        UniqueConstraint("submission_id", "reporter"),
        Index("ix_reports_comment_id", "comment_id"),
        Index("ix_reports_queue_item_id", "queue_item_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"))
    comment_id: Mapped[str] = mapped_column(ForeignKey("comments.id"))
    submission_id: Mapped[str] = mapped_column(ForeignKey("submissions.id"))
    reporter: Mapped[str]
    reason: Mapped[str]
    detail: Mapped[str | None]
    queue_item_id: Mapped[str | None]
    outcome: Mapped[str | None]
    created_at: Mapped[datetime]


class Remark(Base):
    """A note, an escalation or a release with its reason; append-only."""

    __tablename__ = "remarks"
    __table_args__ = (Index("ix_remarks_queue_item_id", "queue_item_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    queue_item_id: Mapped[str] = mapped_column(ForeignKey("queue_items.id"))
    kind: Mapped[str]
    reason: Mapped[str | None]
    note: Mapped[str | None]
    moderator_id: Mapped[str] = mapped_column(ForeignKey("moderators.id"))
    moderator_name: Mapped[str]
    created_at: Mapped[datetime]


class Selection(Base):
    """Items with their versions, frozen so that what was seen is what is decided."""

    __tablename__ = "selections"

    id: Mapped[str] = mapped_column(primary_key=True)
    moderator_id: Mapped[str] = mapped_column(ForeignKey("moderators.id"))
    items: Mapped[list[Any]]
    created_at: Mapped[datetime] = mapped_column(index=True)
    # Set when it was decided: doing so again tells the same once more.
    batch_id: Mapped[str | None]
    results: Mapped[list[Any] | None]
