"""Score comments for spam and toxicity: pure machine learning, no web, no database, no queue."""

from classifier.categories import CATEGORIES
from classifier.errors import ModelError
from classifier.model import Classifier, load

__all__ = ["CATEGORIES", "Classifier", "ModelError", "load"]
