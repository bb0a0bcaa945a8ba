"""What is kept of texts that were judged: imprints, by which near-copies are found, and domains linked to.

A comment that is held leaves its traces with the verdict, for the desk needs them at once. Those of the
others are kept by whoever follows up the decisions, some seconds later: they cost as much as the verdict.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.orm import Session

from moderation.domain.likeness import Imprint, imprint_of, keys_of, packed, unpacked
from moderation.domain.links import domains_in
from moderation.models import LinkDomain, TextImprint, first_id, table_of
from moderation.services.accept import insert_new

# Older texts are found no more, and their traces deleted.
KEPT = timedelta(days=180)
KEYS = 4
_IMPRINTS, _DOMAINS = table_of(TextImprint), table_of(LinkDomain)


@dataclass(frozen=True)
class Traces:
    """The traces of one submission."""

    submission_id: str
    site_id: str
    imprint: Imprint = ()
    domains: tuple[str, ...] = ()


def traces_of(
    submission_id: str, site_id: str, body: str, author: Mapping[str, Any], words: Sequence[str] | None
) -> Traces:
    """What is kept of a text that was read as these words; None: it was not read."""
    url = author.get("url")
    domains = domains_in(body, str(url) if url else None)
    return Traces(submission_id, site_id, imprint_of(words or ()), domains)


def record_traces(session: Session, traces: Sequence[Traces], *, decided: bool) -> None:
    """Keep them; what is there already stays as it is. A text is found only once it is decided."""
    imprints = [_imprint_row(one, decided) for one in traces if one.imprint]
    if imprints:
        session.execute(insert_new(session, _IMPRINTS), imprints)
    domains = [
        {"site_id": one.site_id, "domain": domain, "submission_id": one.submission_id}
        for one in traces
        for domain in one.domains
    ]
    if domains:
        session.execute(insert_new(session, _DOMAINS), domains)


def let_be_found(session: Session, site_id: str, submission_id: str) -> bytes:
    """Let a text be found that was kept while it was held; gives its imprint as stored, empty for none."""
    row = session.execute(_KEPT, {"id": submission_id}).one_or_none()
    if row is None:
        return b""
    if row.key_1 is None:
        session.execute(_FIND, _keys(unpacked(row.numbers), site_id) | {"submission": submission_id})
    return bytes(row.numbers)


def old_traces(session: Session, now: datetime) -> bool:
    """Whether there are traces that nobody looks for any more."""
    before = first_id("sub", now - KEPT)
    oldest = [session.scalar(select(func.min(table.c.submission_id))) for table in (_IMPRINTS, _DOMAINS)]
    return any(one is not None and one < before for one in oldest)


def forget_traces(session: Session, now: datetime, most: int) -> int:
    """Delete the oldest traces of texts older than anybody looks for; gives how many."""
    values = {"before": first_id("sub", now - KEPT), "most": most}
    forgotten = 0
    for table in (_IMPRINTS, _DOMAINS):
        old = (
            select(table.c.submission_id)
            .where(table.c.submission_id < bindparam("before"))
            .order_by(table.c.submission_id)
            .limit(bindparam("most"))
            .with_for_update(skip_locked=True)
        )
        ids = session.scalars(old, values).all()
        if ids:
            session.execute(delete(table).where(table.c.submission_id.in_(ids)))
        forgotten += len(ids)
    return forgotten


def _imprint_row(traces: Traces, decided: bool) -> dict[str, Any]:
    row = {"submission_id": traces.submission_id, "numbers": packed(traces.imprint)}
    return row | _keys(traces.imprint if decided else (), traces.site_id)


def _keys(imprint: Imprint, site_id: str) -> dict[str, int | None]:
    keys: list[int | None] = [*keys_of(imprint, site_id, KEYS)]
    keys += [None] * (KEYS - len(keys))
    return {f"key_{n}": key for n, key in enumerate(keys, 1)}


_KEPT = select(_IMPRINTS.c.numbers, _IMPRINTS.c.key_1).where(_IMPRINTS.c.submission_id == bindparam("id"))
_FIND = (
    update(_IMPRINTS)
    .where(_IMPRINTS.c.submission_id == bindparam("submission"))
    .values({f"key_{n}": bindparam(f"key_{n}") for n in range(1, KEYS + 1)})
)
