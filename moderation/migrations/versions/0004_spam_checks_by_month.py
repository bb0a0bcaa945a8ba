"""How many spam checks each blog made in a month, so that asking for it reads a row and not every comment."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

FIGURES = ("calls", "spam", "ham", "missed_spam", "false_positives")


def upgrade() -> None:
    op.create_table(
        "spam_check_months",
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("blog", sa.String(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in FIGURES),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_spam_check_months_site_id_sites"),
        sa.PrimaryKeyConstraint("site_id", "month", "blog", name="pk_spam_check_months"),
    )


def downgrade() -> None:
    op.drop_table("spam_check_months")
