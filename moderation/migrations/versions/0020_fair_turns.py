"""Fair turns: when an endpoint was last served, and whether it is slow; the last model that was announced."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0018"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("webhook_endpoints", sa.Column("served_at", TIME, nullable=True))
    op.add_column("webhook_endpoints", sa.Column("slow_since", TIME, nullable=True))
    op.create_table(
        "announced_models",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("announced_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_announced_models"),
    )


def downgrade() -> None:
    op.drop_table("announced_models")
    op.drop_column("webhook_endpoints", "slow_since")
    op.drop_column("webhook_endpoints", "served_at")
