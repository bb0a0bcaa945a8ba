"""What people decided, remembered for near-copies: at once, for a while, and only while it stands.

A decision of people leaves a memory of the text. What became of the comment is looked up when a near-copy
comes, so that a reversal, an edit or a withdrawal ends the effect with its own commit.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, bindparam, delete, func, select, tuple_
from sqlalchemy.orm import Session

from moderation.domain.likeness import keys_of, similarity, unpacked
from moderation.domain.policy import PolicySettings, Precedent
from moderation.domain.precedents import FAINTLY_ALIKE, LEAST_PAIRS
from moderation.models import (
    Comment,
    Decision,
    Memory,
    MemoryKey,
    Submission,
    first_id,
    table_of,
)
from moderation.services.accept import insert_or_tell
from moderation.services.lists import DIALECTS, dialect_of, is_one_of, parameter
from moderation.services.traces import Traces, let_be_found

# Two texts that share a third of their pairs meet at one of these with a likelihood of 98 %.
KEPT_KEYS, ASKED_KEYS = 24, 10
# A number leads to the latest texts only, so that a flood of copies makes no comment slower to judge.
MOST_OF_A_KEY = 8
MOST_OF_A_SITE = 20_000
# No policy remembers longer.
LONGEST_DAYS = 365
# Imported is what was decided elsewhere, by rules nobody here knows.
NOT_PEOPLE = ("policy", "author", "import")
_MEMORIES, _KEYS = table_of(Memory), table_of(MemoryKey)


class Decided(NamedTuple):
    """A remembered text and the decision that stands."""

    submission_id: str
    numbers: bytes
    status: str
    decision_id: str
    reason: str
    at: datetime
    batch_id: str | None


def remember(session: Session, site_id: str, submission_id: str) -> None:
    """Remember a text that people decided, in the transaction of the decision; again changes nothing.

    A text with too few pairs of words to be told from others is not remembered; one that left no imprint yet
    will be when its decision is followed up.
    """
    numbers = let_be_found(session, site_id, submission_id)
    imprint = unpacked(numbers)
    if len(imprint) < LEAST_PAIRS:
        return
    row = {"submission_id": submission_id, "site_id": site_id, "numbers": numbers}
    if not session.scalars(insert_or_tell(session, _MEMORIES, _MEMORIES.c.submission_id), [row]).all():
        return
    keys = keys_of(imprint, site_id, KEPT_KEYS)
    session.execute(_KEYS.insert(), [{"key": key, "submission_id": submission_id} for key in keys])
    _keep_latest(session, keys)


def sites_with_memories(session: Session, site_ids: set[str]) -> set[str]:
    """Those of the sites that have anything to recall: on the others no text need be read for it."""
    return {site_id for site_id in site_ids if session.scalar(_ANY, {"site": site_id}) is not None}


def recall(
    session: Session, traces: Sequence[Traces], policies: Mapping[str, PolicySettings], now: datetime
) -> dict[str, tuple[Precedent, ...]]:
    """What people decided on near-copies of these texts, by submission; texts without any are left out."""
    asked = {
        one.submission_id: keys_of(one.imprint, one.site_id, ASKED_KEYS)
        for one in traces
        if len(one.imprint) >= LEAST_PAIRS and policies[one.site_id].memory_days
    }
    by_key = _by_key(session, {key for keys in asked.values() for key in keys})
    alike = _alike(session, traces, {name: _met(keys, by_key) for name, keys in asked.items()})
    decided = _decided(session, {found for shares in alike.values() for found in shares})
    recalled: dict[str, tuple[Precedent, ...]] = {}
    for one in traces:
        shares = alike.get(one.submission_id, {})
        precedents = [
            _precedent(decided[found], len(one.imprint), share, now)
            for found, share in sorted(shares.items())
            if found in decided
        ]
        kept = policies[one.site_id].memory_days * 86_400
        if young := tuple(precedent for precedent in precedents if precedent.seconds_ago <= kept):
            recalled[one.submission_id] = young
    return recalled


def by_people() -> ColumnElement[bool]:
    """Whether people made a decision of their own; one that only takes another back is none."""
    return and_(Decision.actor_kind.not_in(NOT_PEOPLE), Decision.reverses.is_(None))


def forget_surplus(session: Session, site_id: str, most: int) -> None:
    """Delete memories of a site that has more than it is allowed, the oldest first."""
    last = session.scalar(_LAST_KEPT, {"site": site_id, "most": MOST_OF_A_SITE})
    if last is not None:
        _forget(session, and_(_MEMORIES.c.site_id == site_id, _MEMORIES.c.submission_id <= last), most)


def forget_memories(session: Session, now: datetime, most: int) -> int:
    """Delete memories older than any policy asks for; gives how many."""
    oldest = first_id("sub", now - timedelta(days=LONGEST_DAYS))
    return _forget(session, _MEMORIES.c.submission_id < oldest, most)


def _forget(session: Session, which: ColumnElement[bool], most: int) -> int:
    old = select(_MEMORIES.c.submission_id).where(which).order_by(_MEMORIES.c.submission_id).limit(most)
    ids = session.scalars(old.with_for_update(skip_locked=True)).all()
    if ids:
        session.execute(delete(_MEMORIES).where(_MEMORIES.c.submission_id.in_(ids)))
    return len(ids)


def _by_key(session: Session, keys: set[int]) -> Mapping[int, Sequence[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    if keys:
        dialect = dialect_of(session)
        for row in session.execute(_BY_KEY[dialect], {"keys": parameter(sorted(keys), dialect)}):
            found[row.key].append(row.submission_id)
    return found


def _met(keys: Sequence[int], by_key: Mapping[int, Sequence[str]]) -> list[str]:
    """The texts worth comparing: they share a number that few have, or two that many have."""
    weight: dict[str, int] = defaultdict(int)
    for key in keys:
        ids = by_key.get(key, ())
        for found in ids:
            weight[found] += 1 if len(ids) >= MOST_OF_A_KEY else 2
    return sorted(found for found, shared in weight.items() if shared >= 2)


def _decided(session: Session, ids: set[str]) -> Mapping[str, Decided]:
    if not ids:
        return {}
    dialect = dialect_of(session)
    rows = session.execute(_DECIDED[dialect], {"ids": parameter(sorted(ids), dialect)})
    return {row.submission_id: Decided(*row) for row in rows}


def _alike(
    session: Session, traces: Sequence[Traces], met: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, float]]:
    """Of the texts met those that are alike, and how much: only of them need be known what became of them."""
    ids = {found for ids in met.values() for found in ids}
    if not ids:
        return {}
    dialect = dialect_of(session)
    rows = session.execute(_REMEMBERED[dialect], {"ids": parameter(sorted(ids), dialect)})
    known = {row.submission_id: unpacked(row.numbers) for row in rows}
    alike: dict[str, dict[str, float]] = {}
    for one in traces:
        for found in met.get(one.submission_id, ()):
            share = similarity(one.imprint, known.get(found, ()))
            if share >= FAINTLY_ALIKE:
                alike.setdefault(one.submission_id, {})[found] = share
    return alike


def _precedent(decided: Decided, size: int, share: float, now: datetime) -> Precedent:
    return Precedent(
        similarity=share,
        size=min(size, len(unpacked(decided.numbers))),
        approved=decided.status == "approved",
        reason=decided.reason,
        seconds_ago=max(0.0, (now - decided.at).total_seconds()),
        decision_id=decided.decision_id,
        batch_id=decided.batch_id,
    )


def _keep_latest(session: Session, keys: Sequence[int]) -> None:
    # Rows that another decision is about to delete are left to it: two must not wait for each other.
    surplus = [tuple(row) for row in session.execute(_SURPLUS, {"keys": list(keys), "most": MOST_OF_A_KEY})]
    if surplus:
        session.execute(delete(_KEYS).where(tuple_(_KEYS.c.key, _KEYS.c.submission_id).in_(surplus)))


def _surplus() -> Select[*tuple[Any, ...]]:
    newer = _KEYS.alias()
    rank = (
        select(func.count())
        .where(newer.c.key == _KEYS.c.key, newer.c.submission_id > _KEYS.c.submission_id)
        .correlate(_KEYS)
        .scalar_subquery()
    )
    return (
        select(_KEYS.c.key, _KEYS.c.submission_id)
        .where(_KEYS.c.key.in_(bindparam("keys", expanding=True)), rank >= bindparam("most"))
        .with_for_update(skip_locked=True)
    )


def _standing(dialect: str) -> Select[*tuple[Any, ...]]:
    """Only what stands: the text is still the comment's, and the last word on it is of people."""
    return (
        select(
            _MEMORIES.c.submission_id,
            _MEMORIES.c.numbers,
            Comment.status,
            Decision.id,
            Decision.reason,
            Decision.created_at,
            Decision.batch_id,
        )
        .join(Submission, Submission.id == _MEMORIES.c.submission_id)
        .join(Comment, and_(Comment.id == Submission.comment_id, Comment.submission_id == Submission.id))
        .join(Decision, and_(Decision.comment_id == Comment.id, Decision.number == Comment.version))
        .where(
            is_one_of(_MEMORIES.c.submission_id, "ids", dialect),
            Comment.status.in_(("approved", "rejected")),
            by_people(),
        )
    )


# Written once: putting a statement together takes longer than running it.
# The order does not matter to the answer; it names the index to read.
_ANY = (
    select(_MEMORIES.c.submission_id)
    .where(_MEMORIES.c.site_id == bindparam("site"))
    .order_by(_MEMORIES.c.site_id, _MEMORIES.c.submission_id)
    .limit(1)
)
_SURPLUS = _surplus()
_BY_KEY = {
    dialect: select(_KEYS.c.key, _KEYS.c.submission_id).where(is_one_of(_KEYS.c.key, "keys", dialect))
    for dialect in DIALECTS
}
_REMEMBERED = {
    dialect: select(_MEMORIES.c.submission_id, _MEMORIES.c.numbers).where(
        is_one_of(_MEMORIES.c.submission_id, "ids", dialect)
    )
    for dialect in DIALECTS
}
_DECIDED = {dialect: _standing(dialect) for dialect in DIALECTS}
_LAST_KEPT = (
    select(_MEMORIES.c.submission_id)
    .where(_MEMORIES.c.site_id == bindparam("site"))
    .order_by(_MEMORIES.c.submission_id.desc())
    .limit(1)
    .offset(bindparam("most"))
)
