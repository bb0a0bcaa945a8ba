"""The model card: what a version was made from, how good it is, and what it is not for."""

import hashlib
import platform
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import joblib
import numpy as np
import scipy
import sklearn

INTENDED_USE = (
    "Sort comments on blogs and news pages: approve the clear ones, let a person look at the doubtful, and "
    "reject only what is nearly certain. A score is a reason to look, never a judgement of a person."
)
LIMITS = (
    "Learnt mostly from English talk pages, news comments and technical blogs; Portuguese, German and Korean "
    "from short texts; Arabic, Chinese, Dutch, French, Italian, Japanese, Polish, Russian, Spanish and "
    "Turkish from comments made by grammars alone; other languages not at all.",
    "Sees words, not meaning: irony, quotation, reclaimed words and new spellings mislead it.",
    "Words that name groups of people raise toxicity scores more than they should.",
    "severe_toxicity, obscene, threat, insult and identity_attack come from few sources.",
)


def fingerprint(rows: Iterable[str]) -> str:
    """SHA-256 over the sorted SHA-256 of the rows: the same data in any order gives the same.

    >>> fingerprint(["a", "b"]) == fingerprint(["b", "a"])
    True
    """
    hashes = sorted(hashlib.sha256(row.encode("utf-8", "surrogatepass")).hexdigest() for row in rows)
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def libraries() -> dict[str, str]:
    """Versions of what a model file depends on."""
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
        "joblib": joblib.__version__,
    }


def new_card(version: str, *, created_at: float, parent: str | None, **members: Any) -> dict[str, Any]:
    """A card with what every model states; `created_at` in unix seconds."""
    created = datetime.fromtimestamp(int(created_at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    card: dict[str, Any] = {"version": version, "created_at": created, "parent": parent}
    return {**card, **members, "libraries": libraries(), "intended_use": INTENDED_USE, "limits": list(LIMITS)}


def rounded(value: Any, digits: int = 4) -> Any:
    """A structure with its measures rounded for reading."""
    if isinstance(value, Mapping):
        return {key: rounded(part, digits) for key, part in value.items()}
    return round(value, digits) if isinstance(value, float) else value
