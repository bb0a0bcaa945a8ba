"""Scores in the form in which verdicts are made of them, for workers and for doors that answer at once."""

import logging
from collections.abc import Mapping
from math import isfinite
from typing import Any, Protocol

from moderation.domain.policy import Threshold
from moderation.scoring import ModelError, Scores

log = logging.getLogger(__name__)

# Scores by category (None: there are none), the model's operating points and its version.
Scored = tuple[Mapping[str, float] | None, Mapping[str, Threshold], str | None]
UNSCORED: Scored = (None, {}, None)


class HasScores(Protocol):
    """Whatever scores a batch."""

    def score(self, comments: list[Mapping[str, Any]]) -> Scores: ...


def each_scored(scores: Scores) -> list[Scored]:
    """The scores of each comment of a batch; those that are no numbers are none."""
    points, version = scores.operating_points, scores.model_version
    # What is no number is below every threshold, so it would be approved.
    return [(row, points, version) if all(map(isfinite, row.values())) else UNSCORED for row in scores.rows]


def score_alone(scorer: HasScores, comment: Mapping[str, Any]) -> Scored:
    """The scores of one comment, none when there is no model or it fails on this comment."""
    try:
        (one,) = each_scored(scorer.score([comment]))
    except ModelError as error:
        log.error("no model: %s", error)  # noqa: TRY400 - one line says it all
        return UNSCORED
    except Exception as error:
        log.error("could not be scored (%s)", type(error).__name__)  # noqa: TRY400 - one line says it all
        return UNSCORED
    return one
