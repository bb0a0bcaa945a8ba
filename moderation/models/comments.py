"""Sites, threads, comments and the submissions that hold their text."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from moderation.domain.status import Status
from moderation.models.base import Base


class Site(Base):
    """A blog that hands in comments."""

    __tablename__ = "sites"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    allowed_origins: Mapped[list[Any]]
    created_at: Mapped[datetime]


class Policy(Base):
    """One version of a site's policy settings; the highest version is in force."""

    __tablename__ = "policies"

    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    settings: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    made_by: Mapped[str | None]


class Thread(Base):
    """The page a comment belongs to; `key` is the id the site gave it."""

    __tablename__ = "threads"
    __table_args__ = (UniqueConstraint("site_id", "key"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"))
    key: Mapped[str]
    url: Mapped[str | None]
    title: Mapped[str | None]
    closed: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class Comment(Base):
    """A comment: who, where, and its status; only `record_decision` changes the status."""

    __tablename__ = "comments"
    __table_args__ = (
        UniqueConstraint("site_id", "external_id"),
        # The public list of a thread: approved comments, oldest first.
        Index("ix_comments_thread_id_status_id", "thread_id", "status", "id"),
        # An author's first comment and the latest ones.
        Index("ix_comments_site_id_author_key_id", "site_id", "author_key", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"))
    thread_id: Mapped[str] = mapped_column(ForeignKey("threads.id"))
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("comments.id"))
    external_id: Mapped[str | None]
    author: Mapped[dict[str, Any]]
    author_key: Mapped[str | None]
    status: Mapped[str] = mapped_column(default=Status.PENDING)
    reason: Mapped[str | None]
    submission_id: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]

    thread: Mapped[Thread] = relationship(lazy="raise", viewonly=True)


class Submission(Base):
    """One immutable snapshot of a comment's text and context; an edit makes another."""

    __tablename__ = "submissions"
    __table_args__ = (
        # Work that is waiting; small however large the table grows.
        Index(
            "ix_submissions_waiting",
            "id",
            sqlite_where=text("judged_at IS NULL"),
            postgresql_where=text("judged_at IS NULL"),
        ),
        # The same by site, so that each gets its share of a batch.
        Index(
            "ix_submissions_waiting_by_site",
            "site_id",
            "id",
            sqlite_where=text("judged_at IS NULL"),
            postgresql_where=text("judged_at IS NULL"),
        ),
        # The same text again: what waits apart from the rest. So a comment is taken in without writing to a
        # large index in a random place; the worker does that, for a whole batch.
        Index(
            "ix_submissions_waiting_by_digest",
            "site_id",
            "body_digest",
            "created_at",
            sqlite_where=text("judged_at IS NULL"),
            postgresql_where=text("judged_at IS NULL"),
        ),
        Index(
            "ix_submissions_judged_by_digest",
            "site_id",
            "body_digest",
            "created_at",
            sqlite_where=text("judged_at IS NOT NULL"),
            postgresql_where=text("judged_at IS NOT NULL"),
        ),
        Index("ix_submissions_comment_id", "comment_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    comment_id: Mapped[str] = mapped_column(ForeignKey("comments.id"))
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"))
    body: Mapped[str]
    body_bytes: Mapped[int]
    body_digest: Mapped[str]
    context: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    # Set when a verdict was recorded or the submission was overtaken by an edit or a withdrawal.
    judged_at: Mapped[datetime | None]
    # A worker's time-limited hold on it, and how often one was taken: a submission that keeps killing
    # its worker is recognised by the count.
    taken_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)


class IdempotencyKey(Base):
    """The first answer to a request that named an Idempotency-Key, kept in the same commit."""

    __tablename__ = "idempotency_keys"

    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_digest: Mapped[str]
    comment_id: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(index=True)
