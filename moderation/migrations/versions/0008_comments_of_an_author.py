"""An author's comments in their order: the first one and the latest are found without reading the others."""

from moderation.migrations import online

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLE = "comments"
NAME, BEFORE = "ix_comments_site_id_author_key_id", "ix_comments_site_id_author_key"


def upgrade() -> None:
    online.create_index(NAME, TABLE, ["site_id", "author_key", "id"])
    # All that the one before could do this one does.
    online.drop_index(BEFORE, TABLE)


def downgrade() -> None:
    online.create_index(BEFORE, TABLE, ["site_id", "author_key"])
    online.drop_index(NAME, TABLE)
