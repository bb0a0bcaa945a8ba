"""Passwords for the console, and since when sessions are good."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("moderators", sa.Column("password_hash", sa.String(), nullable=True))
    op.add_column("moderators", sa.Column("sessions_since", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("moderators", "sessions_since")
    op.drop_column("moderators", "password_hash")
