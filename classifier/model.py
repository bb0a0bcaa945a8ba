"""A trained model with its card: score comments, explain scores."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from classifier.categories import CATEGORIES
from classifier.errors import ModelError
from classifier.explanation import Span, explain

MODEL_FILE, CARD_FILE = "model.joblib", "card.json"
# How many comments become one matrix: bounds memory, and changes no score.
_ROWS_AT_ONCE = 512


class Classifier:
    """A model version: a fitted pipeline (features, heads) and its card."""

    def __init__(self, pipeline: Pipeline, card: Mapping[str, Any]) -> None:
        self.pipeline = pipeline
        self.card: dict[str, Any] = dict(card)

    @property
    def version(self) -> str:
        """The version, part of every score's identity."""
        return str(self.card["version"])

    def logits(self, comments: Sequence[Mapping[str, Any]]) -> NDArray[np.float32]:
        """Log-odds (n, 7) in CATEGORIES order."""
        features, heads = self.pipeline[0], self.pipeline[-1]
        parts = [
            heads.logits(features.transform(comments[i : i + _ROWS_AT_ONCE]))
            for i in range(0, len(comments), _ROWS_AT_ONCE)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, len(CATEGORIES)), np.float32)

    def score(self, comments: Sequence[Mapping[str, Any]]) -> NDArray[np.float32]:
        """Calibrated probabilities (n, 7) in CATEGORIES order; a row depends on its own comment only.

        A comment is {"body", "author"?: {"name", "email", "url"}, "thread"?: {"title"}}; what is missing,
        None or empty counts for nothing.
        """
        return (1 / (1 + np.exp(-self.logits(comments).astype(np.float64)))).astype(np.float32)

    def explain(self, comments: Sequence[Mapping[str, Any]], *, limit: int = 10) -> list[list[Span]]:
        """At most `limit` spans of each body that moved a score most, strongest first."""
        return explain(self.pipeline[0], self.pipeline[-1].total_coef(), comments, limit)


def load(path: Path) -> Classifier:
    """The model in a folder. joblib runs code on load: only for a folder you trust (else `Registry.load`)."""
    return from_bytes(path, _read(path / MODEL_FILE), _read(path / CARD_FILE))


def from_bytes(path: Path, model: bytes, card: bytes) -> Classifier:
    """The model in the bytes of its two files; `path` is only for naming it in errors."""
    try:
        pipeline = joblib.load(io.BytesIO(model))
    except Exception as error:  # a damaged pickle raises nearly anything
        raise ModelError(f"{path / MODEL_FILE}: cannot be loaded ({type(error).__name__})") from error
    if not isinstance(pipeline, Pipeline):
        raise ModelError(f"{path / MODEL_FILE}: holds no model of this service")
    return Classifier(pipeline, parse_card(path / CARD_FILE, card))


def parse_card(path: Path, content: bytes) -> dict[str, Any]:
    """A card from the bytes of its file."""
    try:
        card = json.loads(content)
    except ValueError:
        raise ModelError(f"{path}: is not JSON") from None
    if not isinstance(card, dict) or not isinstance(card.get("version"), str):
        raise ModelError(f"{path}: is no model card")
    return card


def model_bytes(classifier: Classifier) -> bytes:
    """What goes into model.joblib; the same pipeline gives the same bytes."""
    buffer = io.BytesIO()
    joblib.dump(classifier.pipeline, buffer, compress=("zlib", 6))
    return buffer.getvalue()


def card_bytes(card: Mapping[str, Any]) -> bytes:
    """What goes into card.json."""
    return (json.dumps(card, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})") from None
