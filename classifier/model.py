"""A trained model with its card: score comments, explain scores."""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
from numpy.typing import NDArray

from classifier.categories import CATEGORIES
from classifier.errors import ModelError, OutdatedModel
from classifier.explanation import Span, explain
from classifier.facts import body_of
from classifier.network import Network, Reading, pack, unpack

MODEL_FILE, CARD_FILE = "model.joblib", "card.json"
# How much becomes one batch: memory stays bounded, and new words are looked up many at once.
_MOST_COMMENTS, _MOST_CHARACTERS = 512, 1 << 18


class Correction(NamedTuple):
    """What a site's labels changed: logits + `site_features` @ coef + intercept."""

    coef: Any  # scipy.sparse.csr_matrix (features, 7), float32
    intercept: NDArray[np.float32]  # (7,)


class Classifier:
    """A model version: the network, a site's correction if it has one, and its card."""

    def __init__(
        self, network: Network, card: Mapping[str, Any], correction: Correction | None = None
    ) -> None:
        self.network = network
        self.card: dict[str, Any] = dict(card)
        self.correction = correction

    @property
    def version(self) -> str:
        """The version, part of every score's identity."""
        return str(self.card["version"])

    def logits(self, comments: Sequence[Mapping[str, Any]]) -> NDArray[np.float32]:
        """Log-odds (n, 7) in CATEGORIES order."""
        parts = [self._logits(batch, self.network.read(batch)) for batch in batches(comments)]
        return np.concatenate(parts) if parts else np.zeros((0, len(CATEGORIES)), np.float32)

    def score(self, comments: Sequence[Mapping[str, Any]]) -> NDArray[np.float32]:
        """Calibrated probabilities (n, 7) in CATEGORIES order; a row depends on its own comment only.

        A comment is {"body", "author"?: {"name", "email", "url"}, "thread"?: {"title"}}; what is missing,
        None or empty counts for nothing.
        """
        return (1 / (1 + np.exp(-self.logits(comments).astype(np.float64)))).astype(np.float32)

    def explain(self, comments: Sequence[Mapping[str, Any]], *, limit: int = 10) -> list[list[Span]]:
        """At most `limit` spans of each body that raised a score most, strongest first."""
        return [explain(self.network, self.correction, comment, limit) for comment in comments]

    def _logits(self, comments: Sequence[Mapping[str, Any]], reading: Reading) -> NDArray[np.float32]:
        if self.correction is None:
            return reading.logits
        # scipy.sparse takes longer to import than the shipped model to load.
        from classifier.site_features import site_features

        own = (site_features(comments, reading) @ self.correction.coef).toarray()
        return np.asarray(reading.logits + own + self.correction.intercept, dtype=np.float32)


def batches(comments: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[Mapping[str, Any]]]:
    """Comments in order, in parts of bounded number and size (at least one comment each)."""
    start = characters = 0
    for i, comment in enumerate(comments):
        characters += len(body_of(comment))
        if i > start and (i - start >= _MOST_COMMENTS or characters > _MOST_CHARACTERS):
            yield comments[start:i]
            start, characters = i, len(body_of(comment))
    if start < len(comments):
        yield comments[start:]


def load(path: Path) -> Classifier:
    """The model in a folder. joblib runs code on load: only for a folder you trust (else `Registry.load`)."""
    return from_bytes(path, _read(path / MODEL_FILE), _read(path / CARD_FILE))


def from_bytes(path: Path, model: bytes, card: bytes) -> Classifier:
    """The model in the bytes of its two files; `path` is only for naming it in errors."""
    try:
        content = joblib.load(io.BytesIO(model))
    except ModuleNotFoundError as error:
        raise OutdatedModel(path / MODEL_FILE) from error
    except Exception as error:  # a damaged pickle raises nearly anything
        raise ModelError(f"{path / MODEL_FILE}: cannot be loaded ({type(error).__name__})") from error
    try:
        network = unpack(content["weights"], content.get("abroad"))
        correction = Correction(*content["correction"]) if content["correction"] else None
    except (TypeError, KeyError, IndexError) as error:
        raise OutdatedModel(path / MODEL_FILE) from error
    return Classifier(network, parse_card(path / CARD_FILE, card), correction)


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
    """What goes into model.joblib; the same model gives the same bytes."""
    correction, network = classifier.correction, classifier.network
    content = {
        "weights": pack(network.weights),
        "abroad": pack(network.abroad) if network.abroad else None,
        "correction": tuple(correction) if correction else None,
    }
    buffer = io.BytesIO()
    joblib.dump(content, buffer, compress=("zlib", 6))
    return buffer.getvalue()


def card_bytes(card: Mapping[str, Any]) -> bytes:
    """What goes into card.json."""
    return (json.dumps(card, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})") from None
