"""Digests of what waits apart from the rest: taking a comment in writes to a small index only."""

from moderation.migrations import online

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

TABLE, COLUMNS = "submissions", ["site_id", "body_digest", "created_at"]
WAITING, JUDGED = "ix_submissions_waiting_by_digest", "ix_submissions_judged_by_digest"
BEFORE = "ix_submissions_site_id_body_digest_created_at"


def upgrade() -> None:
    online.create_index(WAITING, TABLE, COLUMNS, where="judged_at IS NULL")
    online.create_index(JUDGED, TABLE, COLUMNS, where="judged_at IS NOT NULL")
    online.drop_index(BEFORE, TABLE)


def downgrade() -> None:
    online.create_index(BEFORE, TABLE, COLUMNS)
    online.drop_index(JUDGED, TABLE)
    online.drop_index(WAITING, TABLE)
