"""The one place in this package that loads the model: scoring, explaining and the registry's doors."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from classifier import CATEGORIES, Classifier, ModelError
from classifier.errors import NothingToRollBack, UnknownVersion
from classifier.registry import Registry
from moderation.domain.policy import Threshold
from moderation.settings import Settings

__all__ = [
    "ModelError",
    "NothingToRollBack",
    "Scorer",
    "Scores",
    "UnknownVersion",
    "open_registry",
    "open_scorer",
    "thresholds_from",
]


@dataclass(frozen=True)
class Scores:
    """The probabilities of one batch, in order, and the model version they come from."""

    model_version: str
    rows: list[dict[str, float]]
    operating_points: Mapping[str, Threshold]


@dataclass
class Scorer:
    """The champion in memory; a promotion or rollback is taken over before the next batch."""

    registry: Registry
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _loaded: Classifier | None = None
    _stamp: object = None

    def current(self) -> Classifier:
        """The champion; keeps the one in memory when a new one cannot be loaded; raises ModelError."""
        stamp = self.registry.stamp()
        with self._lock:
            if self._loaded is None or stamp != self._stamp:
                self._loaded = self._load()
                self._stamp = stamp
            return self._loaded

    def score(self, comments: Sequence[Mapping[str, Any]]) -> Scores:
        """Score one batch with one model version; raises ModelError when there is no model."""
        model = self.current()
        rows = model.score(comments)
        by_category = [dict(zip(CATEGORIES, (float(p) for p in row), strict=True)) for row in rows]
        return Scores(model.version, by_category, thresholds_from(model.card))

    def explain(self, comment: Mapping[str, Any], limit: int = 10) -> list[dict[str, Any]]:
        """The parts of the body that weighed most, as character spans of the original text."""
        (spans,) = self.current().explain([comment], limit=limit)
        return [
            {"start": s.start, "end": s.end, "category": s.category, "weight": round(float(s.weight), 4)}
            for s in spans
        ]

    def _load(self) -> Classifier:
        try:
            return self.registry.load()
        except ModelError:
            if self._loaded is None:
                raise
            return self._loaded


def open_registry(settings: Settings) -> Registry:
    """The model versions of this installation."""
    return Registry(settings.models_dir, settings.secret_key)


def open_scorer(settings: Settings) -> Scorer:
    """A scorer that loads nothing before it is first used."""
    return Scorer(open_registry(settings))


def thresholds_from(card: Mapping[str, Any]) -> dict[str, Threshold]:
    """The operating points of a model's card as the policy's thresholds."""
    points = card.get("operating_points", {})
    return {
        category: Threshold(
            reject=point["reject"]["threshold"],
            hold=point["hold"]["threshold"],
        )
        for category, point in points.items()
        if point["hold"]["threshold"] is not None
    }
