"""Train the model that the repository ships."""

# ruff: noqa: N806 - X is what scikit-learn calls a feature matrix
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.pipeline import Pipeline

from classifier.card import fingerprint, new_card, rounded
from classifier.categories import CATEGORIES
from classifier.dataset import SOURCES, Rows, for_training, read_rows
from classifier.evaluation import report
from classifier.features import CommentFeatures
from classifier.heads import MaskedLogistic
from classifier.manifest import sha256, write_durably
from classifier.mix import choose_operating_points
from classifier.model import CARD_FILE, MODEL_FILE, Classifier, card_bytes, model_bytes

Progress = Callable[[str], None]
_ROWS_AT_ONCE = 2048
_LICENCES = (
    "The weights were learnt from CC0, CC BY, CC BY-SA, MIT and Apache comments and from third-party blog "
    "comments without a stated licence. Features are hashed, so no word of any comment is in the model. "
    "Sets for evaluation only were not trained on."
)


def train(
    data: Path, *, version: str, seed: int = 0, limit: int | None = None, progress: Progress = print
) -> Classifier:
    """Fit the shipped model on the train split of a parquet file, and measure it on dev.

    `limit`: only so many random rows of each split. ModelError when the file cannot be read.
    """
    rows = _at_most(for_training(read_rows(data, "train")), limit, seed)
    dev = _at_most(read_rows(data, "dev"), limit, seed)
    progress(f"{len(rows)} rows to train on, {len(dev)} to measure on")
    pipeline = fit(rows, seed=seed, progress=progress)
    classifier = Classifier(pipeline, {"version": version})
    progress("measuring on dev")
    scores = classifier.score(dev.comments)
    points = choose_operating_points(dev, scores)
    card = new_card(
        version,
        created_at=time.time(),
        parent=None,
        seed=seed,
        data=_data(rows, dev),
        parameters={name: _parameters(step) for name, step in pipeline.named_steps.items()},
        operating_points=points,
        summary=summary(scores, dev, points),
        metrics=metrics_by_source(scores, dev, points),
        licences=_LICENCES,
    )
    return Classifier(pipeline, card)


def fit(
    rows: Rows, *, seed: int, features: CommentFeatures | None = None, progress: Progress = lambda _: None
) -> Pipeline:
    """Features and calibrated heads.

    Comments with an author or a thread are seen a second time without, at half the weight each, so that
    these facts help when present and are not missed when absent.
    """
    features = features or CommentFeatures()
    known = np.array(
        [any(c["author"].values()) or bool(c["thread"]["title"]) for c in rows.comments], dtype=np.bool_
    )
    bare = [{"body": rows.comments[i]["body"]} for i in np.flatnonzero(known).tolist()]
    progress("extracting features")
    X = in_batches(features, [*rows.comments, *bare])
    order = np.concatenate([np.arange(len(rows)), np.flatnonzero(known)])
    weights = rows.weights[order] * np.where(known[order], 0.5, 1.0)
    progress(f"fitting {len(CATEGORIES)} heads on {X.shape[0]} rows and {X.nnz} values")
    heads = MaskedLogistic(first_only_from=features.text_columns, random_state=seed)
    heads.fit(X, rows.labels[order], sample_weight=weights, groups=order)
    return Pipeline([("features", features), ("heads", heads)])


def in_batches(features: CommentFeatures, comments: Any) -> Any:
    """The feature matrix of many comments, made in parts to keep memory low."""
    parts = [
        features.transform(comments[i : i + _ROWS_AT_ONCE]) for i in range(0, len(comments), _ROWS_AT_ONCE)
    ]
    return sparse.vstack(parts, format="csr")


def metrics_by_source(scores: Any, rows: Rows, points: Any) -> dict[str, Any]:
    """`evaluation.report` for each source, only the categories it has labels of."""
    found: dict[str, Any] = {}
    for source in np.unique(rows.sources):
        chosen = rows.sources == source
        measured = report(scores[chosen], rows.labels[chosen], np.ones(int(chosen.sum())), points)
        found[str(source)] = {name: rounded(part) for name, part in measured.items() if part["n"]}
    return found


def summary(scores: Any, rows: Rows, points: Any) -> dict[str, Any]:
    """One line of measures per category over all dev sources together."""
    measured = report(scores, rows.labels, np.ones(len(rows)), points)
    names = ("n", "positives", "auc", "log_loss", "calibration_error")
    return {category: rounded({name: part[name] for name in names}) for category, part in measured.items()}


def write_shipped(classifier: Classifier, out: Path) -> Path:
    """Write the model's folder under `out`, and the digests of its files into `out`/__init__.py."""
    folder = out / classifier.version
    folder.mkdir(parents=True, exist_ok=True)
    model = model_bytes(classifier)
    card = card_bytes({**classifier.card, "sha256": sha256(model)})
    write_durably(folder / MODEL_FILE, model)
    write_durably(folder / CARD_FILE, card)
    digests = f'MODEL_SHA256 = "{sha256(model)}"\nCARD_SHA256 = "{sha256(card)}"\n'
    source = (
        '"""The model in this folder and the digests of its files; written by `greenroom train`."""\n\n'
        f'VERSION = "{classifier.version}"\n{digests}'
    )
    write_durably(out / "__init__.py", source.encode())
    return folder


def next_version(out: Path, day: str) -> str:
    """The first free version of a day: 2026.11.22-1, then -2."""
    taken = [p.name for p in out.glob(f"{day}-*")] if out.is_dir() else []
    numbers = [int(found[1]) for name in taken if (found := re.fullmatch(rf"{re.escape(day)}-(\d+)", name))]
    return f"{day}-{max(numbers, default=0) + 1}"


def _at_most(rows: Rows, limit: int | None, seed: int) -> Rows:
    if limit is None or limit >= len(rows):
        return rows
    return rows.take(np.sort(np.random.default_rng(seed).choice(len(rows), limit, replace=False)))


def _data(rows: Rows, dev: Rows) -> dict[str, Any]:
    names, counts = np.unique(rows.sources, return_counts=True)
    sources = {
        str(name): {"rows": int(count), "weight": SOURCES.get(str(name), (1.0, None))[0]}
        for name, count in zip(names, counts, strict=True)
    }
    rows_as_text = (f"{c}{labels.tolist()}" for c, labels in zip(rows.comments, rows.labels, strict=True))
    return {
        "fingerprint": fingerprint(rows_as_text),
        "rows": len(rows),
        "dev_rows": len(dev),
        "sources": sources,
    }


def _parameters(step: Any) -> dict[str, Any]:
    return dict(step.get_params(deep=False))
