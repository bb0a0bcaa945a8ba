"""Many items by filter, in two steps: freeze what is seen, then decide just that."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from moderation.models import Decision, QueueItem, Selection, new_id
from moderation.services import errors
from moderation.services.access import ModeratorCaller
from moderation.services.errors import NotFound, ServiceError
from moderation.services.moderate import BatchResult, Ruling, decide_batch
from moderation.services.queue import QueueFilters, open_items

MOST_SELECTED = 500
# A selection older than this is forgotten: the queue it was made of is another one.
KEPT = timedelta(days=1)


@dataclass(frozen=True)
class Selected:
    """What a selection holds, for people to look at before they decide."""

    selection_id: str
    item_ids: Sequence[str]
    by_reason: Mapping[str, int]
    more: bool


def select_items(
    session: Session,
    filters: QueueFilters,
    by: ModeratorCaller,
    now: datetime,
    *,
    most: int = MOST_SELECTED,
) -> Selected:
    """Freeze the ids and versions of the most urgent items of these filters, at most `most`."""
    session.execute(delete(Selection).where(Selection.created_at < now - KEPT))
    rows = session.execute(
        open_items(filters, now, QueueItem.version, QueueItem.reason)
        .order_by(QueueItem.due_at, QueueItem.id)
        .limit(most + 1)
    ).all()
    chosen = rows[:most]
    selection = Selection(
        id=new_id("sel"),
        moderator_id=by.moderator_id,
        items=[[row.id, row.version] for row in chosen],
        created_at=now,
    )
    session.add(selection)
    counts = Counter(row.reason for row in chosen)
    return Selected(selection.id, [row.id for row in chosen], dict(counts), len(rows) > most)


def decide_selection(
    session: Session, selection_id: str, ruling: Ruling, by: ModeratorCaller, now: datetime
) -> tuple[str, list[BatchResult]]:
    """Decide what was frozen, each item by itself; done again, it tells the first results once more.

    Raises NotFound for a selection that is too old or another's.
    """
    selection = session.get(Selection, selection_id, with_for_update=True)
    if selection is None or selection.moderator_id != by.moderator_id or selection.created_at < now - KEPT:
        raise NotFound("selection")
    if selection.batch_id is not None:
        return selection.batch_id, _told_again(session, selection.results or [])
    items = [(item_id, version) for item_id, version in selection.items]
    batch_id, results = decide_batch(session, items, ruling, by, now)
    selection.batch_id, selection.results = batch_id, [_kept(result) for result in results]
    return batch_id, results


def _kept(result: BatchResult) -> dict[str, str]:
    if result.error is None:
        return {"item": result.item_id, "decision": result.decision.id if result.decision else ""}
    return {"item": result.item_id, "error": type(result.error).__name__, "words": str(result.error)}


def _told_again(session: Session, kept: Sequence[Mapping[str, str]]) -> list[BatchResult]:
    ids = [one["decision"] for one in kept if "decision" in one]
    decisions = {one.id: one for one in session.scalars(select(Decision).where(Decision.id.in_(ids)))}
    return [BatchResult(one["item"], decisions.get(one.get("decision", "")), _error_of(one)) for one in kept]


def _error_of(kept: Mapping[str, str]) -> ServiceError | None:
    if "error" not in kept:
        return None
    kind: type[ServiceError] = getattr(errors, kept["error"])
    # Of the right kind and with its words; the members that came with it were told the first time.
    error = kind.__new__(kind)
    error.args = (kept["words"],)
    return error
