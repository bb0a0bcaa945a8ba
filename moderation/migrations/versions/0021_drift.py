"""Drift: what came to a model version in its first weeks, and how far what comes now is from that."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
OBJECT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "drifts",
        sa.Column("model_version", sa.String(), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("until", TIME, nullable=False),
        sa.Column("comments", sa.Integer(), nullable=False),
        sa.Column("bins", OBJECT, nullable=False),
        sa.Column("known_words", sa.LargeBinary(), nullable=False),
        sa.Column("words", OBJECT, nullable=False),
        sa.Column("looked_at", TIME, nullable=False),
        sa.Column("recent_since", TIME, nullable=False),
        sa.Column("recent_comments", sa.Integer(), nullable=False),
        sa.Column("recent_words", OBJECT, nullable=False),
        sa.Column("shifts", OBJECT, nullable=False),
        sa.Column("words_level", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("model_version", name="pk_drifts"),
    )


def downgrade() -> None:
    op.drop_table("drifts")
