"""What other systems sign their requests with, by site."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shared_secrets",
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_shared_secrets_site_id_sites"),
        sa.PrimaryKeyConstraint("site_id", "purpose", name="pk_shared_secrets"),
    )


def downgrade() -> None:
    op.drop_table("shared_secrets")
