"""The languages of open items: read by the sweeper, which has the time, and kept for the queue's filter."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from moderation.models import QueueItem, Submission

UNKNOWN = "und"


def items_without_language(session: Session, most: int) -> Sequence[tuple[str, str]]:
    """Open items whose language nobody read yet, most urgent first, with their texts."""
    rows = session.execute(
        select(QueueItem.id, Submission.body)
        .join(Submission, Submission.id == QueueItem.submission_id)
        .where(QueueItem.closed_at.is_(None), QueueItem.language.is_(None))
        .order_by(QueueItem.due_at, QueueItem.id)
        .limit(most)
    )
    return [(row.id, row.body) for row in rows]


def keep_languages(session: Session, languages: Mapping[str, str | None]) -> None:
    """Keep what was read; the version stays, for nothing of substance changed."""
    for item_id, language in languages.items():
        session.execute(update(QueueItem).where(QueueItem.id == item_id).values(language=language or UNKNOWN))
