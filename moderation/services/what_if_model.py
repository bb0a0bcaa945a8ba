"""What another model would change: a site's latest comments judged by its policy, once by each model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from moderation.domain.policy import PolicySettings, Threshold
from moderation.domain.promises import Proven
from moderation.domain.replay import replay
from moderation.domain.rightness import Rightness, deserves_rejection, rightness
from moderation.domain.settling import settle
from moderation.domain.status import LEADS_TO, Action, Status
from moderation.services.decide import findings_from
from moderation.services.labelled import texts_of
from moderation.services.proofs import Labelled, scored_texts
from moderation.services.what_if import Change, Effect, effect_told, latest_judged, signals_of

MOST_REPLAYED = 5_000

# Scores (None: the model fails on it) and thresholds for one comment.
Said = tuple[Mapping[str, float] | None, Mapping[str, Threshold]]


@dataclass(frozen=True)
class Replayed:
    """What a replay needs, read at one moment."""

    rows: Sequence[Any]
    # What people said of them, and the chance with which that was drawn.
    labels: Mapping[str, tuple[Mapping[str, bool], float]]
    # The labelled texts that the site's promises rest on, if it promises anything.
    proving: Sequence[Labelled]

    def comments(self) -> list[Mapping[str, Any]]:
        """In the form in which a model reads them."""
        return [_as_comment(row) for row in self.rows]

    def known_scores(self, model_version: str) -> dict[int, Mapping[str, float] | None]:
        """On what scores this version decided them, by their place; only where it did."""
        return {
            n: row.Score.by_category()
            for n, row in enumerate(self.rows)
            if row.Score is not None and row.Score.model_version == model_version
        }


@dataclass(frozen=True)
class Side:
    """How one model judges: what it says of each comment, and what is proven of the promises with it."""

    version: str
    said: Sequence[Said]
    proven: Mapping[str, Proven]


@dataclass(frozen=True)
class ModelEffect:
    """How the comments fare with the model in force and would with the other, and how right both are."""

    model_version: str
    champion: str
    effect: Effect
    labelled: int
    # By what would be done without a person: "published" and "rejected".
    right_now: Mapping[str, Rightness]
    right_then: Mapping[str, Rightness]


def read_replayed(
    session: Session, site_id: str, policy: PolicySettings, since: datetime, now: datetime, most: int
) -> Replayed:
    """The policy's latest decisions since then, what is known of these comments, what promises rest on."""
    rows = latest_judged(session, site_id, since, most)
    labelled = texts_of(session, [row.Submission.id for row in rows])
    labels = {text.id: (settle(text.taught).labels, text.chance) for text in labelled}
    # Of no version: both models score them anew.
    proving = scored_texts(session, site_id, "", now) if policy.promises else []
    return Replayed(rows, labels, proving)


def compare(
    replayed: Replayed, policy: PolicySettings, in_force: Side, other: Side, now: datetime
) -> ModelEffect:
    """Both models' verdicts by the same policy, compared with each other and with what people said."""
    fates = [_fate(row, policy, in_force, other, n) for n, row in enumerate(replayed.rows)]
    since = min((row.Submission.created_at for row in replayed.rows), default=now)
    return ModelEffect(
        model_version=other.version,
        champion=in_force.version,
        effect=effect_told(fates, since, now),
        labelled=len(replayed.labels),
        right_now=_rightness(replayed, [fate.before for fate in fates]),
        right_then=_rightness(replayed, [fate.after for fate in fates]),
    )


def _fate(row: Any, policy: PolicySettings, in_force: Side, other: Side, n: int) -> Change:
    found = findings_from(row.Decision.findings)
    verdicts = []
    for side in (in_force, other):
        scores, points = side.said[n]
        signals = replace(signals_of(row, points), scores=scores, proven=side.proven)
        verdicts.append(replay(signals, found, policy))
    before, after = verdicts
    return Change(
        comment_id=row.Decision.comment_id,
        body=row.Submission.body,
        before=LEADS_TO[Action(before.outcome)],
        after=LEADS_TO[Action(after.outcome)],
        why=[finding.detail for finding in after.findings],
        scores=other.said[n][0],
    )


def _rightness(replayed: Replayed, statuses: Sequence[Status]) -> dict[str, Rightness]:
    published, rejected = [], []
    for row, status in zip(replayed.rows, statuses, strict=True):
        labels, drawn = replayed.labels.get(row.Submission.id, ({}, 1.0))
        deserved = deserves_rejection(labels)
        if deserved is not None and status is Status.APPROVED:
            published.append((deserved, drawn))
        elif deserved is not None and status is Status.REJECTED:
            rejected.append((not deserved, drawn))
    return {"published": rightness(published), "rejected": rightness(rejected)}


def _as_comment(row: Any) -> dict[str, Any]:
    author = {name: row.author.get(name) for name in ("name", "email", "url")}
    return {"body": row.Submission.body, "author": author, "thread": {"title": row.Thread.title}}
