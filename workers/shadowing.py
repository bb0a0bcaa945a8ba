"""Scoring in the shadow: what a batch was decided on, once more by another model, which decides nothing.

It comes after the batch is decided and committed, and whatever goes wrong ends the shadow, never the work.
While there is none, it costs a look at a clock, and every few seconds one at the database.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import Thread
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from moderation.database import Unavailable
from moderation.domain.policy import PolicySettings, Threshold
from moderation.domain.rules import judge
from moderation.domain.status import LEADS_TO
from moderation.judging import HasScores, Scored, each_scored
from moderation.models import Shadow
from moderation.services.pending import Past, Taken, signals_for
from moderation.services.shadows import end_shadow, keep_shadow_scores, open_shadow
from workers.process import Process

log = logging.getLogger(__name__)

# So long after it was asked for or ended a worker may not know yet.
LOOK_SECONDS = 5.0
WORKER = "scoring worker"


@dataclass(frozen=True)
class Seen:
    """What the verdicts of a batch rested on."""

    at: datetime
    taken: Sequence[Taken]
    scored: Sequence[Scored]
    policies: Mapping[str, PolicySettings]
    past: Past


@dataclass
class Watch:
    """The shadow that this process knows of, and its model once that is loaded."""

    next: float = 0.0
    shadow: Shadow | None = None
    model: HasScores | None = None
    loader: Thread | None = None


def follow(process: Process, seen: Seen, decided: Sequence[str]) -> None:
    """Score what was decided in the shadow too, if a shadow is on."""
    watch = process.shadow
    try:
        if time.monotonic() >= watch.next:
            _look(process, watch)
        if watch.shadow is not None and watch.model is not None:
            _keep(process, watch.shadow, watch.model, seen, set(decided))
    except (Unavailable, SQLAlchemyError) as error:
        log.warning("the shadow misses a batch (%s)", type(error).__name__)
    except Exception as error:
        if watch.shadow is not None:
            _end(process, watch.shadow, type(error).__name__)


def _look(process: Process, watch: Watch) -> None:
    watch.next = time.monotonic() + LOOK_SECONDS
    with process.database.read() as session:
        found = open_shadow(session)
    if found is None:
        watch.shadow = watch.model = None
    elif watch.shadow is None or watch.shadow.id != found.id:
        watch.shadow, watch.model = found, None
        # A model may lie far away, and comments do not wait for it.
        watch.loader = Thread(target=_load, args=(process, found), name="shadow", daemon=True)
        watch.loader.start()


def _load(process: Process, shadow: Shadow) -> None:
    try:
        model = process.scorer.of_version(shadow.model_version)
    except Exception as error:
        _end(process, shadow, type(error).__name__)
        return
    if process.shadow.shadow is shadow:
        process.shadow.model = model


def _keep(process: Process, shadow: Shadow, model: HasScores, seen: Seen, decided: set[str]) -> None:
    places = [
        n
        for n, (t, one) in enumerate(zip(seen.taken, seen.scored, strict=True))
        if t.comment_id in decided and one[0] is not None
    ]
    if not places:
        return
    if any(seen.scored[n][2] == shadow.model_version for n in places):
        _end(process, shadow, "it is in force")
        return
    said = each_scored(model.score([seen.taken[n].as_comment() for n in places]))
    rows = [_row(shadow, seen, n, one) for n, one in zip(places, said, strict=True)]
    # A power failure may take what nobody decided by.
    with process.database.write(lasting=False) as session:
        keep_shadow_scores(session, rows)


def _row(shadow: Shadow, seen: Seen, n: int, said: Scored) -> dict[str, Any]:
    scores, points, _ = said
    if scores is None:
        raise ValueError("a score is no number")
    in_force, in_force_points, champion = seen.scored[n]
    return {
        "shadow_id": shadow.id,
        "submission_id": seen.taken[n].submission_id,
        "champion": champion,
        "verdict": _verdict(seen, n, in_force, in_force_points),
        "shadow_verdict": _verdict(seen, n, scores, points),
        "created_at": seen.at,
        **scores,
    }


def _verdict(seen: Seen, n: int, scores: Mapping[str, float] | None, points: Mapping[str, Threshold]) -> str:
    """By both alike without promises, of which nothing is proven for a model that decides nothing."""
    taken = seen.taken[n]
    policy = replace(seen.policies[taken.site_id], promises={})
    return LEADS_TO[judge(signals_for(taken, scores, points, seen.at, seen.past), policy).outcome]


def _end(process: Process, shadow: Shadow, because: str) -> None:
    """Have nothing more to do with it, and say so once."""
    # The shadow itself is remembered: should it stay open, this process does not begin with it again.
    process.shadow.model = None
    try:
        with process.database.write() as session:
            ended = end_shadow(session, shadow, WORKER, because, datetime.now(UTC))
    except Exception as error:
        log.error("the shadow %s failed and cannot be ended (%s)", shadow.model_version, type(error).__name__)  # noqa: TRY400 - one line says it all
        return
    if ended:
        log.warning("the shadow %s ends: %s", shadow.model_version, because)
