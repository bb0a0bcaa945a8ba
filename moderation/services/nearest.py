"""The decided comments nearest to a given one, so that a moderator sees what was done before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, bindparam, select, union_all
from sqlalchemy.orm import Session

from moderation.domain.likeness import Imprint, keys_of, similarity, unpacked
from moderation.models import Comment, Decision, Submission, TextImprint, table_of
from moderation.services.evidence import Told
from moderation.services.traces import KEYS

SHOWN = 3
LEAST_SIMILARITY = 0.1
# How many numbers of the given text are looked for in each index, how many texts each of them yields, and how
# many of the nearest are looked up: so much is read at most, however many copies a flood brought.
ASKED, OF_EACH, LOOKED_UP = 12, 8, 30


@dataclass(frozen=True)
class Nearest(Told):
    """A decided comment, and how much of it is in the given one too, from 0 to 1."""

    similarity: float


def find_nearest(session: Session, comment: Comment) -> list[Nearest]:
    """The nearest approved and rejected comments of the site, best first, then the latest.

    A text that left no imprint, because it has no two words or was judged before there were imprints, is not
    found and finds none.
    """
    numbers = session.scalar(_NUMBERS, {"id": comment.submission_id})
    imprint = unpacked(numbers or b"")
    if not imprint:
        return []
    near = _candidates(session, imprint, comment.site_id)
    best = sorted(near.items(), key=lambda one: (one[1], one[0]), reverse=True)[:LOOKED_UP]
    rows = {
        row.Comment.submission_id: row
        for row in session.execute(_DECIDED, {"ids": [found for found, _ in best]})
        if row.Comment.site_id == comment.site_id and row.Comment.id != comment.id
    }
    return [
        Nearest(rows[found].Comment, rows[found].body, rows[found].Decision, share)
        for found, share in best
        if found in rows
    ][:SHOWN]


def _candidates(session: Session, imprint: Imprint, site_id: str) -> dict[str, float]:
    """Texts that share one of the numbers, and how alike they are."""
    keys: Sequence[int | None] = keys_of(imprint, site_id, ASKED)
    asked = {f"key_{n}": keys[n] if n < len(keys) else None for n in range(ASKED)}
    found: dict[bytes, float] = {}
    near: dict[str, float] = {}
    for row in session.execute(_SHARING, asked):
        # Copies of one text are compared once.
        share = found.get(row.numbers)
        if share is None:
            share = found[row.numbers] = similarity(imprint, unpacked(row.numbers))
        if share >= LEAST_SIMILARITY:
            near[row.submission_id] = share
    return near


def _sharing() -> Any:
    """The latest texts for each number in each index: many small steps that no flood makes longer."""
    table = table_of(TextImprint)
    steps = []
    for n in range(ASKED):
        for place in range(1, KEYS + 1):
            step = (
                select(table.c.submission_id, table.c.numbers)
                .where(table.c[f"key_{place}"] == bindparam(f"key_{n}"))
                .order_by(table.c.id.desc())
                .limit(OF_EACH)
                .subquery()
            )
            steps.append(select(step.c.submission_id, step.c.numbers))
    return union_all(*steps)


def _decided() -> Select[*tuple[Any, ...]]:
    # The site is not asked for here: SQLite would read all of its comments to find a few.
    return (
        select(Comment, Submission.body, Decision)
        .select_from(Submission)
        .join(Comment, and_(Comment.id == Submission.comment_id, Comment.submission_id == Submission.id))
        .join(Decision, and_(Decision.comment_id == Comment.id, Decision.number == Comment.version))
        .where(
            Submission.id.in_(bindparam("ids", expanding=True)),
            Comment.status.in_(("approved", "rejected")),
        )
    )


# Written once: putting a statement together takes longer than running it.
_NUMBERS = select(TextImprint.numbers).where(TextImprint.submission_id == bindparam("id"))
_SHARING = _sharing()
_DECIDED = _decided()
