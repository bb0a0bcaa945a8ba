"""Who taught the labels of before, as far as their decisions and texts tell.

Apart from the new columns: so many rows are not to be written while the table is locked for them.
"""

from alembic import op

revision = "0015_1"
down_revision = "0015"
branch_labels = None
depends_on = None

SITE = """UPDATE labels SET site_id =
    (SELECT submissions.site_id FROM submissions WHERE submissions.id = labels.submission_id)
    WHERE site_id IS NULL AND submission_id IS NOT NULL"""
MODERATOR = """UPDATE labels SET moderator_id =
    (SELECT decisions.actor_id FROM decisions
     WHERE decisions.id = labels.decision_id AND decisions.actor_kind IN ('moderator', 'maintainer'))
    WHERE moderator_id IS NULL AND decision_id IS NOT NULL"""
# What a decision did not say by itself was said in so many words, and so was what came without one.
EXPLICIT = """UPDATE labels SET explicit = NOT EXISTS
    (SELECT 1 FROM decisions WHERE decisions.id = labels.decision_id
     AND decisions.actor_kind IN ('moderator', 'maintainer')
     AND (decisions.action = 'approve' AND NOT labels.value AND labels.category IN ('spam', 'toxicity')
       OR decisions.action = 'reject' AND labels.value AND (labels.category = decisions.reason
         OR labels.category = 'toxicity' AND decisions.reason IN
           ('toxic', 'severe_toxicity', 'obscene', 'threat', 'insult', 'identity_attack'))))
    WHERE explicit IS NULL"""


def upgrade() -> None:
    for statement in (SITE, MODERATOR, EXPLICIT):
        op.execute(statement)


def downgrade() -> None:
    """What was filled in does no harm, and goes with its columns."""
