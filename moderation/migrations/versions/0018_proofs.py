"""What labels prove of a site's promises, for each model version."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

OBJECT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "proofs",
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("model_version", sa.String(), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("categories", OBJECT, nullable=False),
        sa.Column("label_count", sa.Integer(), nullable=False),
        sa.Column("labels_seen", sa.Integer(), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "model_version", name="pk_proofs"),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_proofs_site_id_sites"),
    )


def downgrade() -> None:
    op.drop_table("proofs")
