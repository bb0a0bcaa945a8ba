"""Tables of what is kept of texts: imprints, what people decided, and the domains linked to."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "text_imprints",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("submission_id", sa.String(), nullable=False),
        sa.Column("numbers", sa.LargeBinary(), nullable=False),
        *(sa.Column(f"key_{n}", sa.BigInteger(), nullable=True) for n in range(1, 5)),
        _of_submission("text_imprints"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_text_imprints")),
        sa.UniqueConstraint("submission_id", name=op.f("uq_text_imprints_submission_id")),
    )
    for n in range(1, 5):
        condition = sa.text(f"key_{n} IS NOT NULL")
        op.create_index(
            f"ix_text_imprints_key_{n}",
            "text_imprints",
            [f"key_{n}", "id"],
            sqlite_where=condition,
            postgresql_where=condition,
        )
    op.create_table(
        "trace_progress",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("decision_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_trace_progress")),
    )
    op.create_table(
        "memories",
        sa.Column("submission_id", sa.String(), nullable=False),
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("numbers", sa.LargeBinary(), nullable=False),
        _of_site("memories"),
        _of_submission("memories"),
        sa.PrimaryKeyConstraint("submission_id", name=op.f("pk_memories")),
    )
    op.create_index("ix_memories_site_id_submission_id", "memories", ["site_id", "submission_id"])
    op.create_table(
        "memory_keys",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("submission_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["submission_id"],
            ["memories.submission_id"],
            name=op.f("fk_memory_keys_submission_id_memories"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("key", "submission_id", name=op.f("pk_memory_keys")),
    )
    op.create_index(op.f("ix_memory_keys_submission_id"), "memory_keys", ["submission_id"])
    op.create_table(
        "link_domains",
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("domain", sa.String(), nullable=False),
        sa.Column("submission_id", sa.String(), nullable=False),
        _of_site("link_domains"),
        _of_submission("link_domains"),
        sa.PrimaryKeyConstraint("site_id", "domain", "submission_id", name=op.f("pk_link_domains")),
    )
    op.create_index(op.f("ix_link_domains_submission_id"), "link_domains", ["submission_id"])


def downgrade() -> None:
    for table in ("link_domains", "memory_keys", "memories", "trace_progress", "text_imprints"):
        op.drop_table(table)


def _of_submission(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_submission_id_submissions")
    return sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name=name, ondelete="CASCADE")


def _of_site(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f(f"fk_{table}_site_id_sites"))
