"""Who taught a label and on which site, whether in so many words, and a run's site."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("labels", sa.Column("site_id", sa.String(), nullable=True))
    op.add_column("labels", sa.Column("moderator_id", sa.String(), nullable=True))
    op.add_column("labels", sa.Column("explicit", sa.Boolean(), nullable=True))
    op.add_column("retraining_runs", sa.Column("site_id", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("retraining_runs", "site_id")
    for column in ("explicit", "moderator_id", "site_id"):
        op.drop_column("labels", column)
