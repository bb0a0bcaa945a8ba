"""Readers' reports, moderators' remarks, frozen selections, and what an item knows of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

UTC_TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("queue_items", sa.Column("claimed_since", UTC_TIME, nullable=True))
    op.add_column(
        "queue_items", sa.Column("reports", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
    op.add_column("queue_items", sa.Column("escalated_at", UTC_TIME, nullable=True))
    op.add_column("queue_items", sa.Column("previous_id", sa.String(), nullable=True))
    op.create_table(
        "reports",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("comment_id", sa.String(), nullable=False),
        sa.Column("submission_id", sa.String(), nullable=False),
        sa.Column("reporter", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=True),
        sa.Column("queue_item_id", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("created_at", UTC_TIME, nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_reports_site_id_sites"),
        sa.ForeignKeyConstraint(["comment_id"], ["comments.id"], name="fk_reports_comment_id_comments"),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submissions.id"], name="fk_reports_submission_id_submissions"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_reports"),
        sa.UniqueConstraint("submission_id", "reporter", name="uq_reports_submission_id_reporter"),
    )
    op.create_index("ix_reports_comment_id", "reports", ["comment_id"])
    op.create_index("ix_reports_queue_item_id", "reports", ["queue_item_id"])
    op.create_table(
        "remarks",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("queue_item_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("moderator_id", sa.String(), nullable=False),
        sa.Column("moderator_name", sa.String(), nullable=False),
        sa.Column("created_at", UTC_TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["queue_item_id"], ["queue_items.id"], name="fk_remarks_queue_item_id_queue_items"
        ),
        sa.ForeignKeyConstraint(
            ["moderator_id"], ["moderators.id"], name="fk_remarks_moderator_id_moderators"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_remarks"),
    )
    op.create_index("ix_remarks_queue_item_id", "remarks", ["queue_item_id"])
    op.create_table(
        "selections",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("moderator_id", sa.String(), nullable=False),
        sa.Column("items", JSON, nullable=False),
        sa.Column("created_at", UTC_TIME, nullable=False),
        sa.Column("batch_id", sa.String(), nullable=True),
        sa.Column("results", JSON, nullable=True),
        sa.ForeignKeyConstraint(
            ["moderator_id"], ["moderators.id"], name="fk_selections_moderator_id_moderators"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_selections"),
    )
    op.create_index("ix_selections_created_at", "selections", ["created_at"])


def downgrade() -> None:
    op.drop_table("selections")
    op.drop_table("remarks")
    op.drop_table("reports")
    for column in ("previous_id", "escalated_at", "reports", "claimed_since"):
        op.drop_column("queue_items", column)
