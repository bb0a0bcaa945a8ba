"""Drift: what came to a model version in its first weeks. Shadows: versions that score and decide nothing."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

CATEGORIES = ("spam", "toxicity", "severe_toxicity", "obscene", "threat", "insult", "identity_attack")
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
    op.create_table(
        "shadows",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("model_version", sa.String(), nullable=False),
        sa.Column("slot", sa.String(), nullable=True),
        sa.Column("begun_by", sa.String(), nullable=False),
        sa.Column("begun_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("ended_because", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_shadows"),
        sa.UniqueConstraint("slot", name="uq_shadows_slot"),
    )
    op.create_table(
        "shadow_scores",
        sa.Column("shadow_id", sa.String(), nullable=False),
        sa.Column("submission_id", sa.String(), nullable=False),
        sa.Column("champion", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("shadow_verdict", sa.String(), nullable=False),
        *(sa.Column(category, sa.Double(), nullable=False) for category in CATEGORIES),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("shadow_id", "submission_id", name="pk_shadow_scores"),
        sa.ForeignKeyConstraint(["shadow_id"], ["shadows.id"], name="fk_shadow_scores_shadow_id_shadows"),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submissions.id"], name="fk_shadow_scores_submission_id_submissions"
        ),
    )


def downgrade() -> None:
    op.drop_table("shadow_scores")
    op.drop_table("shadows")
    op.drop_table("drifts")
