"""Labels, imported examples and retraining runs."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from moderation.models.base import Base


class ImportedExample(Base):
    """A text with labels that came from elsewhere and is no comment of a site here."""

    __tablename__ = "imported_examples"

    id: Mapped[str] = mapped_column(primary_key=True)
    # One text counts once however often it is imported.
    body_digest: Mapped[str] = mapped_column(unique=True)
    comment: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class Label(Base):
    """Ground truth about one category of one submission or imported example."""

    __tablename__ = "labels"
    __table_args__ = (Index("ix_labels_submission_id", "submission_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    submission_id: Mapped[str | None] = mapped_column(ForeignKey("submissions.id"))
    imported_example_id: Mapped[str | None] = mapped_column(ForeignKey("imported_examples.id"), index=True)
    category: Mapped[str]
    value: Mapped[bool]
    source: Mapped[str]
    decision_id: Mapped[str | None] = mapped_column(ForeignKey("decisions.id"), index=True)
    # Who taught it. No foreign keys: what was exported keeps its teachers at an installation without them.
    site_id: Mapped[str | None]
    moderator_id: Mapped[str | None]
    # Said in so many words, not only implied by a decision; empty where older code wrote it.
    explicit: Mapped[bool | None]
    created_at: Mapped[datetime] = mapped_column(index=True)
    retracted_at: Mapped[datetime | None]


class SiteProof(Base):
    """What labels prove of a site's promises for one model version; computed anew as they come."""

    __tablename__ = "proofs"

    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    model_version: Mapped[str] = mapped_column(primary_key=True)
    policy_version: Mapped[int]
    categories: Mapped[dict[str, Any]]
    # How many labels there were when other thresholds were tried last, and at the last look.
    label_count: Mapped[int]
    labels_seen: Mapped[int]
    computed_at: Mapped[datetime]


class Drift(Base):
    """What came to a model version in its first weeks, and how far what comes now is from that."""

    __tablename__ = "drifts"

    model_version: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]
    until: Mapped[datetime]
    comments: Mapped[int]
    # By category the edges of the bins and their counts.
    bins: Mapped[dict[str, Any]]
    # 64 KiB that only whoever looks for new words reads.
    known_words: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    words: Mapped[dict[str, Any]]
    # The last look.
    looked_at: Mapped[datetime]
    recent_since: Mapped[datetime]
    recent_comments: Mapped[int]
    recent_words: Mapped[dict[str, Any]]
    # By category index, chance and level; empty while too few comments came.
    shifts: Mapped[dict[str, Any]]
    # Empty while too few texts came.
    words_level: Mapped[str | None]


class Shadow(Base):
    """A model version that scores beside the one in force and decides nothing; one at a time."""

    __tablename__ = "shadows"

    id: Mapped[str] = mapped_column(primary_key=True)
    model_version: Mapped[str]
    # "open" until it ends, then empty: unique, so that there is never a second open one.
    slot: Mapped[str | None] = mapped_column(unique=True)
    begun_by: Mapped[str]
    begun_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_because: Mapped[str | None]


class ShadowScore(Base):
    """What a shadow gave a submission, and the verdicts on its scores and on those that decided.

    A table of its own: whoever reads the scores that decided cannot meet one of these.
    """

    __tablename__ = "shadow_scores"

    shadow_id: Mapped[str] = mapped_column(ForeignKey("shadows.id"), primary_key=True)
    submission_id: Mapped[str] = mapped_column(ForeignKey("submissions.id"), primary_key=True)
    champion: Mapped[str]
    verdict: Mapped[str]
    shadow_verdict: Mapped[str]
    spam: Mapped[float]
    toxicity: Mapped[float]
    severe_toxicity: Mapped[float]
    obscene: Mapped[float]
    threat: Mapped[float]
    insult: Mapped[float]
    identity_attack: Mapped[float]
    created_at: Mapped[datetime]


class RetrainingRun(Base):
    """One attempt to make a better model, and how it ended."""

    __tablename__ = "retraining_runs"

    id: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(index=True)
    # "open" until the run ends, then empty: unique, so that there is never a second open run.
    slot: Mapped[str | None] = mapped_column(unique=True)
    reason: Mapped[str | None]
    requested_by: Mapped[str]
    # Whose labels teach; empty: those of all sites.
    site_id: Mapped[str | None]
    champion: Mapped[str | None]
    challenger: Mapped[str | None]
    label_count: Mapped[int] = mapped_column(default=0)
    metrics: Mapped[dict[str, Any]]
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(index=True)
    started_at: Mapped[datetime | None]
    heartbeat_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
