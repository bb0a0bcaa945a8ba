"""Scores, decisions, and the queue of comments that need a person."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from moderation.domain.policy import CATEGORIES
from moderation.models.base import Base


class Score(Base):
    """The probabilities one model version gave one submission, a column per category."""

    __tablename__ = "scores"

    submission_id: Mapped[str] = mapped_column(ForeignKey("submissions.id"), primary_key=True)
    model_version: Mapped[str] = mapped_column(primary_key=True)
    spam: Mapped[float]
    toxicity: Mapped[float]
    severe_toxicity: Mapped[float]
    obscene: Mapped[float]
    threat: Mapped[float]
    insult: Mapped[float]
    identity_attack: Mapped[float]
    created_at: Mapped[datetime]

    def by_category(self) -> dict[str, float]:
        return {category: getattr(self, category) for category in CATEGORIES}


class Decision(Base):
    """The recorded act that changed a comment's status; append-only, a reversal is a new one."""

    __tablename__ = "decisions"
    # The comment's version after it: the order that no clock can disturb, and one decision a version.
    __table_args__ = (UniqueConstraint("comment_id", "number"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"))
    comment_id: Mapped[str] = mapped_column(ForeignKey("comments.id"))
    submission_id: Mapped[str] = mapped_column(ForeignKey("submissions.id"))
    number: Mapped[int]
    action: Mapped[str]
    reason: Mapped[str]
    status_before: Mapped[str]
    status_after: Mapped[str]
    actor_kind: Mapped[str]
    actor_id: Mapped[str | None]
    actor_name: Mapped[str]
    findings: Mapped[list[Any]]
    model_version: Mapped[str | None]
    policy_version: Mapped[int | None]
    note: Mapped[str | None]
    queue_item_id: Mapped[str | None]
    batch_id: Mapped[str | None] = mapped_column(index=True)
    # Unique, so that two people undoing the same decision cannot both succeed.
    reverses: Mapped[str | None] = mapped_column(ForeignKey("decisions.id"), unique=True)
    created_at: Mapped[datetime] = mapped_column(index=True)


class QueueItem(Base):
    """Why a comment needs a person; open until a decision closes it."""

    __tablename__ = "queue_items"
    __table_args__ = (
        # One open item a comment, and the order of the desk among the open ones only.
        Index(
            "uq_queue_items_open_comment",
            "comment_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index(
            "ix_queue_items_open_due",
            "due_at",
            "id",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("ix_queue_items_comment_id", "comment_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"))
    comment_id: Mapped[str] = mapped_column(ForeignKey("comments.id"))
    submission_id: Mapped[str] = mapped_column(ForeignKey("submissions.id"))
    reason: Mapped[str]
    findings: Mapped[list[Any]]
    model_version: Mapped[str | None]
    top_score: Mapped[float] = mapped_column(default=0.0)
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    # Rises with every change of substance, not with a claim: a claim must not stale its holder's view.
    version: Mapped[int] = mapped_column(default=1)
    claimed_by: Mapped[str | None] = mapped_column(ForeignKey("moderators.id"))
    claimed_until: Mapped[datetime | None]
    # Of a claim that was renewed: when it began, because none is renewed for ever.
    claimed_since: Mapped[datetime | None]
    # Readers' complaints about the text since it was last decided, and whether a maintainer is asked for.
    reports: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    escalated_at: Mapped[datetime | None]
    # ISO 639-1, "und" where it cannot be told; empty until the sweeper has read the text.
    language: Mapped[str | None]
    # Of a spot check: the chance with which the decision was drawn.
    sampling_probability: Mapped[float | None]
    # The item that was decided before readers complained again.
    previous_id: Mapped[str | None]
