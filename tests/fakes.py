"""Stand-ins written by hand, for tests whose subject they are not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from moderation.domain.policy import CATEGORIES, Threshold
from moderation.jobs import QueueState
from moderation.scoring import Scores, UnknownVersion

THRESHOLDS = {category: Threshold(reject=0.9, hold=0.5) for category in CATEGORIES}


class PoisonError(Exception):
    """What the fake model raises for a poison comment."""


@dataclass
class FakeRegistry:
    """The record of models: the champions so far, the one in force last."""

    champions: list[str] = field(default_factory=lambda: ["fake-1"])
    known: set[str] = field(default_factory=lambda: {"fake-1"})

    def champion(self) -> str:
        return self.champions[-1]

    def previous(self) -> str | None:
        return self.champions[-2] if len(self.champions) > 1 else None

    def knows(self, version: str) -> bool:
        return version in self.known

    def promote(self, version: str) -> str:
        self.known.add(version)
        self.champions.append(version)
        return version

    def rollback(self) -> str:
        self.champions.pop()
        return self.champion()


@dataclass
class FakeScorer:
    """A model that reads its scores off the body: "score:spam=0.7" and so on; poison makes it fail."""

    version: str = "fake-1"
    batches: list[int] = field(default_factory=list)
    registry: FakeRegistry = field(default_factory=FakeRegistry)
    # Which versions there are, and what part of the written scores each of them sees.
    versions: dict[str, float] = field(default_factory=lambda: {"fake-1": 1.0})

    def score(self, comments: Sequence[Mapping[str, Any]]) -> Scores:
        self.batches.append(len(comments))
        if any("poison" in comment["body"] for comment in comments):
            raise PoisonError
        part = self.versions.get(self.version, 1.0)
        rows = [_scores(comment["body"]) for comment in comments]
        seen = [{category: part * score for category, score in row.items()} for row in rows]
        return Scores(self.version, seen, THRESHOLDS)

    def explain(self, comment: Mapping[str, Any], limit: int = 10) -> list[dict[str, Any]]:
        return [{"start": 0, "end": min(4, len(comment["body"])), "category": "spam", "weight": 1.0}]

    def operating_points(self) -> Mapping[str, Threshold]:
        return THRESHOLDS

    def of_version(self, version: str) -> "FakeScorer":
        if version not in self.versions:
            raise UnknownVersion(version)
        return FakeScorer(version, versions=self.versions)

    def close(self) -> None:
        pass

    def current(self) -> "FakeScorer":
        return self

    def trouble(self) -> None:
        return None


@dataclass
class FakeWakeUps:
    """Remembers what would have been woken."""

    scoring: int = 0
    runs: list[str] = field(default_factory=list)
    webhooks: int = 0
    proving: int = 0
    states: list[QueueState] | None = field(
        default_factory=lambda: [QueueState("scoring", 0, 0, 1), QueueState("retraining", 0, 0, 1)]
    )
    awake: bool = False

    def wake_scoring(self) -> bool:
        self.scoring += 1
        return True

    def wake_another(self) -> bool:
        return True

    def stay_awake(self, _name: str) -> bool:
        self.awake = True
        return True

    def fall_asleep(self) -> bool:
        self.awake = False
        return True

    def wake_oneself(self) -> bool:
        was, self.awake = self.awake, True
        return not was

    def enqueue_retraining(self, run_id: str) -> bool:
        self.runs.append(run_id)
        return True

    def wake_proving(self) -> bool:
        self.proving += 1
        return True

    def wake_webhooks(self) -> bool:
        self.webhooks += 1
        return True

    def ping(self) -> bool:
        return True

    def queues(self) -> list[QueueState] | None:
        return self.states


def _scores(body: str) -> dict[str, float]:
    scores = dict.fromkeys(CATEGORIES, 0.01)
    for word in body.split():
        name, _, value = word.removeprefix("score:").partition("=")
        if word.startswith("score:") and name in scores:
            scores[name] = float(value)
    return scores
