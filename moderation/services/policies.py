"""A site's policy settings: their stored form, checked on the way in, and versions that only grow."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session

from moderation.domain.policy import CATEGORIES, Mode, PolicySettings, Threshold
from moderation.domain.promises import Promise
from moderation.models import Policy, Site, table_of
from moderation.services.audit import record
from moderation.services.errors import NotFound, StalePolicy
from moderation.services.recall import LONGEST_DAYS

# Written once: putting it together takes longer than running it.
_POLICIES = table_of(Policy)
_NEWEST = (
    select(_POLICIES.c.site_id, func.max(_POLICIES.c.version).label("version"))
    .where(_POLICIES.c.site_id.in_(bindparam("sites", expanding=True)))
    .group_by(_POLICIES.c.site_id)
    .subquery()
)
_IN_FORCE = select(_POLICIES.c.site_id, _POLICIES.c.settings, _POLICIES.c.version).join(
    _NEWEST, (_POLICIES.c.site_id == _NEWEST.c.site_id) & (_POLICIES.c.version == _NEWEST.c.version)
)
# To prove more takes more labels than are looked at.
HIGHEST_PROMISE = 0.999
# What a site may switch on or off; each is a field of PolicySettings.
SWITCHES = ("trust_roles", "toxic_is_spam", "queue_spam_checks")


def current_policies(session: Session, site_ids: set[str]) -> dict[str, PolicySettings]:
    """The policy in force of each site, by one query."""
    rows = session.execute(_IN_FORCE, {"sites": list(site_ids)})
    return {row.site_id: policy_from(row.settings, row.version) for row in rows}


def policy_in_force(session: Session, site_id: str) -> PolicySettings:
    """The policy in force of one site; raises NotFound."""
    if session.get(Site, site_id) is None:
        raise NotFound("site")
    return current_policies(session, {site_id}).get(site_id, PolicySettings())


def change_policy(
    session: Session,
    site_id: str,
    changes: Mapping[str, Any],
    now: datetime,
    *,
    made_by: str | None = None,
    expected: int | None = None,
) -> PolicySettings:
    """Store a new version with these members changed; raises NotFound and ValueError.

    With `expected` it raises StalePolicy when another version is in force.
    """
    site = session.get(Site, site_id, with_for_update=True)
    if site is None:
        raise NotFound("site")
    old = session.scalars(_versions(site_id).limit(1)).first()
    if expected is not None and expected != (old.version if old else 0):
        raise StalePolicy(old.version if old else 0)
    settings = {**(old.settings if old else {}), **changes}
    version = old.version + 1 if old else 1
    policy = policy_from(settings, version)
    session.add(Policy(site_id=site_id, version=version, settings=settings, created_at=now, made_by=made_by))
    if made_by is not None:
        record(session, made_by, "policy changed", site.name, now, version=version)
    return policy


def policy_versions(session: Session, site_id: str, limit: int = 20) -> Sequence[Policy]:
    """The versions of a site's policy, the one in force first; raises NotFound."""
    if session.get(Site, site_id) is None:
        raise NotFound("site")
    return session.scalars(_versions(site_id).limit(limit)).all()


def _versions(site_id: str) -> Select[Policy]:
    return select(Policy).where(Policy.site_id == site_id).order_by(Policy.version.desc())


def policy_from(stored: Mapping[str, Any], version: int) -> PolicySettings:
    """Read stored settings; raises ValueError naming the member that cannot be used."""
    unknown = set(stored) - {
        "mode",
        "thresholds",
        "link_limit",
        "repeat_limit",
        "blocked_words",
        "close_after_days",
        "report_limit",
        *SWITCHES,
        "memory_days",
        "memory_rejections",
        "domain_rejections",
        "hold_new_domains",
        "hold_first_comments",
        "spot_check_share",
        "promises",
        "promise_confidence",
    }
    if unknown:
        raise ValueError(f"unknown policy setting {sorted(unknown)[0]!r}")
    days = stored.get("close_after_days")
    return PolicySettings(
        version=version,
        mode=Mode(stored.get("mode", Mode.AUTOMATIC)),
        thresholds=_thresholds(stored.get("thresholds", {})),
        link_limit=_count("link_limit", stored.get("link_limit", PolicySettings.link_limit)),
        repeat_limit=_count("repeat_limit", stored.get("repeat_limit", PolicySettings.repeat_limit)),
        blocked_words=_words(stored.get("blocked_words", [])),
        report_limit=_count("report_limit", stored.get("report_limit", PolicySettings.report_limit)),
        close_after_days=None if days is None else _count("close_after_days", days),
        **{name: _switch(name, stored[name]) for name in SWITCHES if name in stored},
        **_of_memory(stored),
        promises=_promises(stored.get("promises", {})),
        promise_confidence=_confidence(stored.get("promise_confidence", PolicySettings.promise_confidence)),
        spot_check_share=_part("spot_check_share", stored.get("spot_check_share")),
    )


def _switch(name: str, value: object) -> bool:
    if value is True or value is False:
        return value
    raise ValueError(f"{name} must be true or false")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _of_memory(stored: Mapping[str, Any]) -> dict[str, Any]:
    """What a site makes of decisions on near-copies, of domains and of authors."""
    numbers = ("memory_days", "memory_rejections", "domain_rejections")
    choices = ("hold_new_domains", "hold_first_comments")
    read = {name: _count(name, stored[name]) for name in numbers if name in stored}
    if read.get("memory_days", 0) > LONGEST_DAYS:
        raise ValueError(f"memory_days must be {LONGEST_DAYS} or fewer")
    return read | {name: _switch(name, stored[name]) for name in choices if name in stored}


def _part(name: str, value: object) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or not _is_number(value) or not 0.0 <= value <= 1.0:
        raise ValueError(f"{name} must be a number from 0 to 1")
    return float(value)


def _count(name: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{name} must be a whole number, 0 or more")
    return value


def _words(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(word, str) for word in value):
        raise ValueError("blocked_words must be a list of words")
    return tuple(word.strip() for word in value if word.strip())


def _promises(value: object) -> dict[str, Promise]:
    if not isinstance(value, Mapping):
        raise ValueError("promises must name categories")  # noqa: TRY004 - as for every other setting
    return {str(category): _promise(str(category), shares) for category, shares in value.items()}


def _promise(category: str, value: object) -> Promise:
    if category not in CATEGORIES:
        raise ValueError(f"unknown category {category!r}")
    if not isinstance(value, Mapping) or set(value) - {"publish", "reject"}:
        raise ValueError(f"the promise of {category} takes publish and reject")
    for share in (value.get("publish"), value.get("reject")):
        if share is not None and not (_is_number(share) and 0.5 <= share <= HIGHEST_PROMISE):
            raise ValueError(f"the promise of {category} must be from 0.5 to {HIGHEST_PROMISE}")
    return Promise(publish=value.get("publish"), reject=value.get("reject"))


def _confidence(value: object) -> float:
    if not isinstance(value, int | float) or not _is_number(value) or not 0.5 <= value <= HIGHEST_PROMISE:
        raise ValueError(f"promise_confidence must be from 0.5 to {HIGHEST_PROMISE}")
    return float(value)


def _thresholds(value: object) -> dict[str, Threshold]:
    if not isinstance(value, Mapping):
        raise ValueError("thresholds must name categories")  # noqa: TRY004 - as for every other setting
    return {str(category): _threshold(str(category), numbers) for category, numbers in value.items()}


def _threshold(category: str, value: object) -> Threshold:
    if category not in CATEGORIES:
        raise ValueError(f"unknown category {category!r}")
    if not isinstance(value, Mapping) or set(value) - {"hold", "reject"}:
        raise ValueError(f"{category} takes hold and reject")
    hold, reject = value.get("hold"), value.get("reject")
    for number in (hold, reject):
        if number is not None and not (_is_number(number) and 0.0 <= number <= 1.0):
            raise ValueError(f"thresholds of {category} must be from 0 to 1")
    if hold is None or (reject is not None and reject < hold):
        raise ValueError(f"{category} needs a hold threshold, no higher than its reject threshold")
    return Threshold(reject=reject, hold=hold)
