"""Trying another model on what came: for the API, the console and the command line alike.

It is done at once, in the process that is asked: a model loads in a tenth of a second, and 5,000 comments
take some two seconds, not much more than a job waits for its worker.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from moderation.database import Database
from moderation.domain.policy import PolicySettings
from moderation.judging import HasScores, Scored, each_scored, score_alone
from moderation.scoring import Scorer, StoredModel
from moderation.services.policies import policy_in_force
from moderation.services.proofs import proven_now
from moderation.services.what_if_model import (
    MOST_REPLAYED,
    ModelEffect,
    Replayed,
    Side,
    compare,
    read_replayed,
)

# In parts, so that other threads of a web server get their turn.
SCORED_AT_ONCE = 256


def try_model(
    database: Database,
    scorer: Scorer,
    site_id: str,
    version: str,
    now: datetime,
    *,
    days: int = 30,
    most: int = MOST_REPLAYED,
) -> ModelEffect:
    """What a version would do to a site's latest comments; raises NotFound and ModelError."""
    # The one in force by its name as well: it may change between two batches.
    other, in_force = scorer.of_version(version), scorer.of_version(scorer.current().version)
    with database.read() as session:
        policy = policy_in_force(session, site_id)
        replayed = read_replayed(session, site_id, policy, now - timedelta(days=days), now, most)
    return compare(replayed, policy, _side(in_force, replayed, policy), _side(other, replayed, policy), now)


def _side(model: StoredModel, replayed: Replayed, policy: PolicySettings) -> Side:
    # What the model in force decided, it scored already.
    known, points = replayed.known_scores(model.version), model.operating_points()
    missing = [n for n in range(len(replayed.rows)) if n not in known]
    comments = replayed.comments()
    anew = _scored(model, [comments[n] for n in missing])
    scored = known | {n: scores for n, (scores, *_) in zip(missing, anew, strict=True)}
    said = [(scored[n], points) for n in range(len(comments))]
    proving = _scored(model, [text.comment for text in replayed.proving])
    texts = [
        replace(text, scores=scores) for text, (scores, *_) in zip(replayed.proving, proving, strict=True)
    ]
    return Side(model.version, said, proven_now(policy, texts))


def _scored(model: HasScores, comments: Sequence[Mapping[str, Any]]) -> list[Scored]:
    starts = range(0, len(comments), SCORED_AT_ONCE)
    return [one for start in starts for one in _part(model, [*comments[start : start + SCORED_AT_ONCE]])]


def _part(model: HasScores, comments: list[Mapping[str, Any]]) -> list[Scored]:
    try:
        return each_scored(model.score(comments))
    except Exception:
        # One of them is bad; the others are scored alone.
        return [score_alone(model, comment) for comment in comments]
