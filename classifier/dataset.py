"""Read labelled comments for training the shipped model. Nothing else needs pyarrow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.categories import CATEGORIES
from classifier.errors import ModelError

_COLUMNS = (
    "text",
    "author",
    "author_url",
    "author_email_domain",
    "thread_title",
    "lang",
    "source",
    "licence",
    "split",
)

# Why a source counts less, or teaches only some categories: (weight, categories or None for all it labels).
# Its confounding would otherwise be learnt: that a source is toxic, not what makes a comment so.
SOURCES: Mapping[str, tuple[float, tuple[str, ...] | None]] = {
    "blog_lrem_weak": (0.5, None),  # labelled by rule
    "blog_tulloss_weak": (0.5, None),  # labelled by rule; nearly all spam
    "blog_stackexchange": (0.5, None),  # all ham of one site, 18,000 of them
    "civil-comments toxic (spans annotation)": (0.7, None),  # all toxic
    "davidson tweets (keyword-sampled)": (0.1, ("toxicity",)),  # marks African-American English too often
    "hatemoji-build": (2.0, None),  # few, and nothing else knows emoji
    "germeval2018": (1.5, None),  # nothing else is German
    "korean-beep news": (0.9, None),
    "told-br tweets": (1.3, None),  # nothing else is Portuguese
    "paradetox": (0.4, None),  # 31,000 short rewritten sentences, few like a comment
    "jigsaw2018 (six labels, lower-cased, no punctuation)": (3.0, None),  # the nearest in kind, and few
    "made: spam": (0.5, None),  # by `grammar`, so their words are ours and not people's
    "made: speech": (0.5, None),
    "made: emoji": (1.0, None),
    "made: threats": (0.5, None),
    "made: groups": (0.5, None),
    "made: insults": (0.5, None),
    "made: languages": (0.3, None),
}
# Rare categories would be drowned by the others that share the network's layers.
_RARE = {"severe_toxicity": 3.0, "threat": 3.0, "identity_attack": 3.0}
# Nobody looked for spam in discussions, but there is hardly any; no other ham is not about computers.
_DISCUSSIONS, _PRESUMED_HAM = ("jigsaw", "wiki", "convabuse"), 0.15


@dataclass(frozen=True)
class Rows:
    """Comments with labels (n, 7) of 0, 1 or NaN, training weights (n, 7), and where they come from."""

    comments: Sequence[Mapping[str, Any]]
    labels: NDArray[np.float64]
    label_weights: NDArray[np.float64]
    sources: NDArray[np.str_]
    languages: NDArray[np.str_]
    licences: frozenset[str] = field(default_factory=frozenset)

    def __len__(self) -> int:
        return len(self.comments)

    def take(self, chosen: NDArray[Any]) -> "Rows":
        """The rows at these positions."""
        indices = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen
        comments = [self.comments[i] for i in indices.tolist()]
        return Rows(
            comments,
            self.labels[indices],
            self.label_weights[indices],
            self.sources[indices],
            self.languages[indices],
            self.licences,
        )


def is_labelled(rows: Rows) -> NDArray[np.bool_]:
    """Which rows somebody labelled, in any category (n,)."""
    return np.asarray(~np.isnan(rows.labels).all(axis=1))


def joined(first: Rows, second: Rows) -> Rows:
    """The rows of both, one after the other."""
    return Rows(
        [*first.comments, *second.comments],
        np.concatenate([first.labels, second.labels]),
        np.concatenate([first.label_weights, second.label_weights]),
        np.concatenate([first.sources, second.sources]),
        np.concatenate([first.languages, second.languages]),
        first.licences | second.licences,
    )


def read_rows(path: Path, split: str) -> Rows:
    """The rows of one split ("train" or "dev") of a parquet file; ModelError when it cannot be read."""
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        raise ModelError("reading parquet needs pyarrow: pip install 'greenroom[train]'") from None
    try:
        table = parquet.read_table(path, columns=[*_COLUMNS, *CATEGORIES], filters=[("split", "==", split)])
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{path}: cannot be read as labelled comments ({type(error).__name__})") from None
    rows = table.to_pylist()
    labels = np.array([[row[category] for category in CATEGORIES] for row in rows], dtype=np.float64)
    sources = np.array([row["source"] for row in rows], dtype=np.str_)
    weights = np.array([SOURCES.get(source, (1.0, None))[0] for source in sources])
    return Rows(
        [_comment(row) for row in rows],
        labels.reshape(-1, len(CATEGORIES)),
        np.repeat(weights[:, None], len(CATEGORIES), axis=1),
        sources,
        np.array([row["lang"] for row in rows], dtype=np.str_),
        frozenset(row["licence"] for row in rows),
    )


def for_training(rows: Rows) -> Rows:
    """Leave out rows that may not teach, mask labels that would teach the source, and presume ham."""
    allowed = ~np.char.startswith(rows.sources, "kaggle") if len(rows) else np.zeros(0, dtype=np.bool_)
    kept = rows.take(allowed)
    for source, (_, categories) in SOURCES.items():
        for k, category in enumerate(CATEGORIES):
            if categories is not None and category not in categories:
                kept.labels[kept.sources == source, k] = np.nan
    # Its ham is Polish, its adverts are English: whoever learns from both takes Polish adverts for ham.
    kept.labels[(kept.sources == "blog_lrem_weak") & (kept.labels[:, 0] == 0), 0] = np.nan
    for category, factor in _RARE.items():
        kept.label_weights[:, CATEGORIES.index(category)] *= factor
    for name in _DISCUSSIONS:
        presumed = np.char.startswith(kept.sources, name) & np.isnan(kept.labels[:, 0])
        kept.labels[presumed, 0] = 0
        kept.label_weights[presumed, 0] *= _PRESUMED_HAM
    return kept


def _comment(row: Mapping[str, Any]) -> dict[str, Any]:
    domain = row["author_email_domain"]
    author = {"name": row["author"], "url": row["author_url"], "email": f"someone@{domain}" if domain else ""}
    return {"body": row["text"], "author": author, "thread": {"title": row["thread_title"]}}
