"""Labelled comments from a file, for `greenroom evaluate`."""

from pathlib import Path

import numpy as np

from classifier.categories import CATEGORIES
from classifier.dataset import Rows, read_rows
from classifier.errors import ModelError
from classifier.examples import Example, label_matrix
from classifier.lines import InvalidLine, check_comment, check_labels, decode_object


def read_labelled(path: Path) -> Rows:
    """The dev rows of a parquet file, or the comments of a JSON Lines file as one source.

    ModelError names the file and the line that is not valid.
    """
    if path.suffix == ".parquet":
        return read_rows(path, "dev")
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})") from None
    examples = [_example(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    n = len(examples)
    return Rows(
        [example.comment for example in examples],
        label_matrix(examples),
        np.ones((n, len(CATEGORIES))),
        np.full(n, path.name),
        np.full(n, "unknown"),
    )


def examples_of(rows: Rows) -> list[Example]:
    """The same as examples."""
    return [
        Example(comment, {CATEGORIES[k]: bool(labels[k]) for k in np.flatnonzero(~np.isnan(labels))})
        for comment, labels in zip(rows.comments, rows.labels, strict=True)
    ]


def _example(path: Path, number: int, line: bytes) -> Example:
    try:
        value = decode_object(line)
        value.pop("id", None)
        labels = check_labels(value.pop("labels", {}))
        return Example(check_comment(value), labels)
    except InvalidLine as error:
        raise ModelError(f"{path}: line {number}: {error}") from None
