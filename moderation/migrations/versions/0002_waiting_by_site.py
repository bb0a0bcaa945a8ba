"""An index of what waits by site, so that each site gets its share of a batch."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NAME = "ix_submissions_waiting_by_site"


def upgrade() -> None:
    op.create_index(
        NAME,
        "submissions",
        ["site_id", "id"],
        unique=False,
        sqlite_where=sa.text("judged_at IS NULL"),
        postgresql_where=sa.text("judged_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index(NAME, table_name="submissions")
