"""The chance with which an automatic decision was drawn for a person to look at."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0015_1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("queue_items", sa.Column("sampling_probability", sa.Double(), nullable=True))


def downgrade() -> None:
    op.drop_column("queue_items", "sampling_probability")
