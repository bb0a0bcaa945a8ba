"""The language of what waits for a person, so that people get what they can read."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("queue_items", sa.Column("language", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("queue_items", "language")
