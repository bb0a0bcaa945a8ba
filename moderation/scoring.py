"""The one place in this package that loads the model: scoring, explaining and the registry's doors."""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from classifier import CATEGORIES, Classifier, ModelError
from classifier.errors import ChampionChanged, NothingToRollBack, UnknownVersion
from classifier.registry import Registry
from classifier.store import StoreUnreachable
from classifier.text import EMAIL, LINK, pieces, tokens
from moderation.domain.policy import Threshold
from moderation.model_store import ObjectStore
from moderation.settings import Settings

__all__ = [
    "ChampionChanged",
    "ModelError",
    "NothingToRollBack",
    "Scorer",
    "Scores",
    "StoreUnreachable",
    "StoredModel",
    "UnknownVersion",
    "open_registry",
    "open_scorer",
    "thresholds_from",
    "words_of",
]


log = logging.getLogger(__name__)

# How often a process asks an object store for a new champion: all have it within twice that and a load.
FOLLOW_SECONDS = 2.0


@dataclass(frozen=True)
class Scores:
    """The probabilities of one batch, in order, and the model version they come from."""

    model_version: str
    rows: list[dict[str, float]]
    operating_points: Mapping[str, Threshold]


@dataclass(frozen=True)
class StoredModel:
    """One model version, in force or not, for what it would say."""

    classifier: Classifier

    @property
    def version(self) -> str:
        return str(self.classifier.version)

    def score(self, comments: Sequence[Mapping[str, Any]]) -> Scores:
        """Score one batch."""
        return _scores_of(self.classifier, comments)

    def operating_points(self) -> Mapping[str, Threshold]:
        """Its own thresholds."""
        return thresholds_from(self.classifier.card)


@dataclass
class Scorer:
    """The champion in memory; a promotion or rollback is taken over before the next batch.

    One whose models lie far away (`follows`) looks for a new champion on a thread of its own: scoring never
    waits for the network, and an object store that is away is no reason to stop scoring.
    """

    registry: Registry
    follows: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _loaded: Classifier | None = None
    _stamp: object = None
    _error: ModelError | None = None
    _next_try: float = 0.0
    _follower: threading.Thread | None = None
    _closed: threading.Event = field(default_factory=threading.Event)

    def current(self) -> Classifier:
        """The champion; keeps the one in memory when a new one cannot be loaded; raises ModelError."""
        if self.follows and self._loaded is not None:
            return self._loaded
        with self._lock:
            if self.follows:
                self._begin_to_follow()
            else:
                self._look(self.registry.stamp())
            if self._loaded is None:
                raise self._error or ModelError("no model was loaded")
            return self._loaded

    def trouble(self) -> str | None:
        """What is wrong with getting models, in words that name no file; None if all is well.

        It is no reason to stop: `current` tells whether there is a model to score with.
        """
        kept = "" if self._loaded is None else f"; going on with {self._loaded.version}"
        if self.registry.store.trouble() is not None:
            return f"the place of the models cannot be reached{kept}"
        return None if self._error is None else f"{type(self._error).__name__}{kept}"

    def score(self, comments: Sequence[Mapping[str, Any]]) -> Scores:
        """Score one batch with one model version; raises ModelError when there is no model."""
        return _scores_of(self.current(), comments)

    def operating_points(self) -> Mapping[str, Threshold]:
        """The champion's own thresholds; raises ModelError when there is no model."""
        return thresholds_from(self.current().card)

    def of_version(self, version: str) -> "StoredModel":
        """A version by its name, loaded anew and kept by whoever asks; raises ModelError."""
        return StoredModel(self.registry.load(version))

    def explain(self, comment: Mapping[str, Any], limit: int = 10) -> list[dict[str, Any]]:
        """The parts of the body that weighed most, as character spans of the original text."""
        (spans,) = self.current().explain([comment], limit=limit)
        return [
            {"start": s.start, "end": s.end, "category": s.category, "weight": round(float(s.weight), 4)}
            for s in spans
        ]

    def close(self) -> None:
        """Follow no longer; the model in memory stays."""
        self._closed.set()

    def _look(self, stamp: object) -> None:
        """Load the champion if it may be another than the one in memory."""
        if self._loaded is not None and stamp == self._stamp:
            if self.follows:  # then a stamp stands for a champion that was loaded
                self._error = None
            return
        try:
            self._loaded, self._error, self._stamp = self.registry.load(), None, stamp
        except ModelError as error:
            self._note(error)
            if not self.follows:
                # Reading the same bad files before every batch would make them no better.
                self._stamp = stamp

    def _begin_to_follow(self) -> None:
        """The first look is the caller's; while it fails, only one caller in a while waits for another."""
        if self._loaded is None and time.monotonic() >= self._next_try:
            self._look_far()
            self._next_try = time.monotonic() + FOLLOW_SECONDS
        if self._follower is None:
            self._follower = threading.Thread(target=self._follow, name="champion", daemon=True)
            self._follower.start()

    def _follow(self) -> None:
        while not self._closed.wait(FOLLOW_SECONDS):
            self._look_far()

    def _look_far(self) -> None:
        """Ask for the manifest: one small request, answered "not modified" unless something changed."""
        try:
            self.registry.champion()
            self._look(self.registry.stamp())
        except ModelError as error:
            self._note(error)
        except Exception as error:
            log.exception("looking for a new champion failed")
            self._error = ModelError(type(error).__name__)

    def _note(self, error: ModelError) -> None:
        """Remember what is wrong; it is logged once, not at every look."""
        if str(error) != str(self._error):
            log.error("%s", error)
        self._error = error


def _scores_of(model: Classifier, comments: Sequence[Mapping[str, Any]]) -> Scores:
    rows = model.score(comments)
    by_category = [dict(zip(CATEGORIES, (float(p) for p in row), strict=True)) for row in rows]
    return Scores(model.version, by_category, thresholds_from(model.card))


def open_registry(settings: Settings) -> Registry:
    """The model versions of this installation, in its folder or its object store."""
    if settings.models_url:
        store = ObjectStore(settings.models_url, settings.home / "models-cache")
        return Registry(store, settings.secret_key)
    return Registry(settings.models_dir, settings.secret_key)


def open_scorer(settings: Settings) -> Scorer:
    """A scorer that loads nothing before it is first used."""
    return Scorer(open_registry(settings), follows=bool(settings.models_url))


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


def words_of(body: str) -> list[str]:
    """A text as the model reads it, disguises undone; one word stands for any link and one for any address.

    >>> words_of("FREE pi\\u200blls at https://pills.example/?x=1 !!")
    ['free', 'pills', 'at', '<link>']
    """
    return [
        word
        for piece in pieces(body)
        for word in (_read_again(piece) if len(piece) <= _LONGEST_PIECE else _read_anew(piece))
    ]


def _read_anew(piece: str) -> tuple[str, ...]:
    words = tokens(piece)
    for stand_in in (LINK, EMAIL):
        if stand_in in words:
            # Which link it is says nothing of the text: a campaign changes them.
            words = words[: words.index(stand_in) + 1]
    return tuple(words)


# Most pieces of a text have been read before; these take some 5 MB.
_LONGEST_PIECE = 30
_read_again = lru_cache(maxsize=1 << 15)(_read_anew)
