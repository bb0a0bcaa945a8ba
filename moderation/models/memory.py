"""What is kept of texts beside themselves: numbers by which near-copies are found, and domains linked to.

All of it follows from submissions and may be lost: then less is found, and nothing else changes. What became
of a comment is not repeated here, so that a decision taken back has no effect from that moment on. Whoever
deletes a submission deletes what was drawn from it.
"""

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from moderation.models.base import Base

# SQLite numbers rows by itself only where the type is exactly INTEGER.
_NUMBER = BigInteger().with_variant(Integer(), "sqlite")


class TextImprint(Base):
    """The imprint of a submission; once it was decided it is found by the first four of its numbers."""

    __tablename__ = "text_imprints"
    __table_args__ = tuple(
        Index(
            f"ix_text_imprints_key_{n}",
            f"key_{n}",
            "id",
            sqlite_where=text(f"key_{n} IS NOT NULL"),
            postgresql_where=text(f"key_{n} IS NOT NULL"),
        )
        for n in range(1, 5)
    )

    # Counted, and not the submission's long id: it stands in each of the four indexes.
    id: Mapped[int] = mapped_column(_NUMBER, primary_key=True)
    submission_id: Mapped[str] = mapped_column(ForeignKey("submissions.id", ondelete="CASCADE"), unique=True)
    numbers: Mapped[bytes] = mapped_column(LargeBinary)
    key_1: Mapped[int | None] = mapped_column(BigInteger)
    key_2: Mapped[int | None] = mapped_column(BigInteger)
    key_3: Mapped[int | None] = mapped_column(BigInteger)
    key_4: Mapped[int | None] = mapped_column(BigInteger)


class TraceProgress(Base):
    """How far the decisions have been followed up: one row, which whoever follows them holds."""

    __tablename__ = "trace_progress"

    name: Mapped[str] = mapped_column(primary_key=True)
    decision_id: Mapped[str]


class Memory(Base):
    """A submission that people decided at some time, to be remembered for its near-copies."""

    __tablename__ = "memories"
    __table_args__ = (Index("ix_memories_site_id_submission_id", "site_id", "submission_id"),)

    submission_id: Mapped[str] = mapped_column(
        ForeignKey("submissions.id", ondelete="CASCADE"), primary_key=True
    )
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"))
    numbers: Mapped[bytes] = mapped_column(LargeBinary)


class MemoryKey(Base):
    """One of the numbers by which a new comment finds what is remembered."""

    __tablename__ = "memory_keys"

    key: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    submission_id: Mapped[str] = mapped_column(
        ForeignKey("memories.submission_id", ondelete="CASCADE"), primary_key=True, index=True
    )


class LinkDomain(Base):
    """A domain that a submission, or its author's address on the web, links to."""

    __tablename__ = "link_domains"

    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    domain: Mapped[str] = mapped_column(primary_key=True)
    submission_id: Mapped[str] = mapped_column(
        ForeignKey("submissions.id", ondelete="CASCADE"), primary_key=True, index=True
    )
