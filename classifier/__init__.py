"""Score comments for spam and toxicity: pure machine learning, no web, no database, no queue."""

from typing import TYPE_CHECKING, Any

from classifier.categories import CATEGORIES
from classifier.errors import ModelError

if TYPE_CHECKING:
    from classifier.model import Classifier, load

__all__ = ["CATEGORIES", "Classifier", "ModelError", "load"]


def __getattr__(name: str) -> Any:
    """Import the model's code when it is first asked for (PEP 562): scikit-learn takes a second to load."""
    if name not in {"Classifier", "load"}:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from classifier import model

    return getattr(model, name)
