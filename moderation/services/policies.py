"""A site's policy settings: their stored form, checked on the way in, and versions that only grow."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from moderation.domain.policy import CATEGORIES, Mode, PolicySettings, Threshold
from moderation.models import Policy, Site
from moderation.services.errors import NotFound
from moderation.services.recall import LONGEST_DAYS


def current_policies(session: Session, site_ids: set[str]) -> dict[str, PolicySettings]:
    """The policy in force of each site, by one query."""
    newest = (
        select(Policy.site_id, func.max(Policy.version).label("version"))
        .where(Policy.site_id.in_(site_ids))
        .group_by(Policy.site_id)
        .subquery()
    )
    rows = session.scalars(
        select(Policy).join(
            newest, (Policy.site_id == newest.c.site_id) & (Policy.version == newest.c.version)
        )
    )
    return {row.site_id: policy_from(row.settings, row.version) for row in rows}


def change_policy(
    session: Session, site_id: str, changes: Mapping[str, Any], now: datetime
) -> PolicySettings:
    """Store a new version with these members changed; raises NotFound and ValueError."""
    if session.get(Site, site_id) is None:
        raise NotFound("site")
    old = session.scalars(
        select(Policy).where(Policy.site_id == site_id).order_by(Policy.version.desc())
    ).first()
    settings = {**(old.settings if old else {}), **changes}
    version = old.version + 1 if old else 1
    policy = policy_from(settings, version)
    session.add(Policy(site_id=site_id, version=version, settings=settings, created_at=now))
    return policy


def policy_from(stored: Mapping[str, Any], version: int) -> PolicySettings:
    """Read stored settings; raises ValueError naming the member that cannot be used."""
    unknown = set(stored) - {
        "mode",
        "thresholds",
        "link_limit",
        "repeat_limit",
        "blocked_words",
        "close_after_days",
        "memory_days",
        "memory_rejections",
        "domain_rejections",
        "hold_new_domains",
        "hold_first_comments",
    }
    if unknown:
        raise ValueError(f"unknown policy setting {sorted(unknown)[0]!r}")
    days = stored.get("close_after_days")
    return PolicySettings(
        version=version,
        mode=Mode(stored.get("mode", Mode.AUTOMATIC)),
        thresholds={name: _threshold(name, value) for name, value in stored.get("thresholds", {}).items()},
        link_limit=_count("link_limit", stored.get("link_limit", PolicySettings.link_limit)),
        repeat_limit=_count("repeat_limit", stored.get("repeat_limit", PolicySettings.repeat_limit)),
        blocked_words=tuple(str(word) for word in stored.get("blocked_words", ()) if str(word).strip()),
        close_after_days=None if days is None else _count("close_after_days", days),
        **_of_memory(stored),
    )


def _of_memory(stored: Mapping[str, Any]) -> dict[str, Any]:
    """What a site makes of decisions on near-copies, of domains and of authors."""
    numbers = ("memory_days", "memory_rejections", "domain_rejections")
    choices = ("hold_new_domains", "hold_first_comments")
    read = {name: _count(name, stored[name]) for name in numbers if name in stored}
    if read.get("memory_days", 0) > LONGEST_DAYS:
        raise ValueError(f"memory_days must be {LONGEST_DAYS} or fewer")
    return read | {name: _choice(name, stored[name]) for name in choices if name in stored}


def _choice(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be true or false")  # noqa: TRY004 - as for every other setting
    return value


def _count(name: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{name} must be a whole number, 0 or more")
    return value


def _threshold(category: str, value: Mapping[str, float | None]) -> Threshold:
    if category not in CATEGORIES:
        raise ValueError(f"unknown category {category!r}")
    hold, reject = value.get("hold"), value.get("reject")
    for number in (hold, reject):
        if number is not None and not 0.0 <= number <= 1.0:
            raise ValueError(f"thresholds of {category} must be from 0 to 1")
    if hold is None or (reject is not None and reject < hold):
        raise ValueError(f"{category} needs a hold threshold, no higher than its reject threshold")
    return Threshold(reject=reject, hold=hold)
