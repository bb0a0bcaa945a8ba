"""What spot checks say of decisions made without a person: how many were wrong, and how sure that is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from moderation.domain.binomial import interval
from moderation.domain.status import Action, Status
from moderation.models import Decision, QueueItem

CONFIDENCE = 0.95
_WRONG = {Status.APPROVED: Action.REJECT, Status.REJECTED: Action.APPROVE}


@dataclass(frozen=True)
class Checked:
    """Of so many that were looked at so many were wrong; what that means per 1,000, None if none was."""

    looked_at: int
    wrong: int
    per_1000: float | None
    low: float | None
    high: float | None


def spot_check_figures(session: Session, since: datetime, site_id: str | None = None) -> dict[str, Checked]:
    """What was published and what was rejected without a person, as far as people looked at it since."""
    rows = _looked_at(session, since, site_id)
    names = {Status.APPROVED: "published", Status.REJECTED: "rejected"}
    return {
        name: _figure([row for row in rows if row.status_before == which], _WRONG[which])
        for which, name in names.items()
    }


def _looked_at(session: Session, since: datetime, site_id: str | None) -> Sequence[Any]:
    reversal = aliased(Decision)
    query = (
        select(Decision.status_before, Decision.action, QueueItem.sampling_probability)
        .join(QueueItem, QueueItem.id == Decision.queue_item_id)
        .outerjoin(reversal, reversal.reverses == Decision.id)
        .where(
            Decision.created_at >= since,
            Decision.reverses.is_(None),
            QueueItem.sampling_probability.is_not(None),
            reversal.id.is_(None),
        )
    )
    return session.execute(query if site_id is None else query.where(Decision.site_id == site_id)).all()


def _figure(rows: Sequence[Any], wrong: Action) -> Checked:
    """Each stands for as many as it was drawn from; the interval is that of the sample's effective size.

    Horvitz and Thompson (1952) for the share, Kish (1965) for the size; with one chance for all of them it is
    the plain share and the exact interval.
    """
    if not rows:
        return Checked(0, 0, None, None, None)
    weights = [1.0 / row.sampling_probability for row in rows]
    heavy = [weight for weight, row in zip(weights, rows, strict=True) if row.action == wrong]
    share = sum(heavy) / sum(weights)
    size = max(1, round(sum(weights) ** 2 / sum(weight**2 for weight in weights)))
    low, high = interval(round(share * size), size, CONFIDENCE)
    told = [round(1000 * value, 2) for value in (share, low, high)]
    return Checked(len(rows), len(heavy), *told)
