"""Labelled comments from a file, for `greenroom evaluate`."""

from pathlib import Path

import numpy as np

from classifier.categories import CATEGORIES
from classifier.dataset import read_rows
from classifier.errors import ModelError
from classifier.examples import Example
from classifier.lines import InvalidLine, check_comment, check_labels, decode_object


def read_examples(path: Path) -> dict[str, list[Example]]:
    """Examples by source: the dev rows of a parquet file, or a JSON Lines file as one source.

    ModelError names the file and the line that is not valid.
    """
    if path.suffix == ".parquet":
        return _dev_examples(path)
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})") from None
    return {path.name: [_example(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]}


def _dev_examples(path: Path) -> dict[str, list[Example]]:
    rows = read_rows(path, "dev")
    by_source: dict[str, list[Example]] = {}
    for comment, labels, source in zip(rows.comments, rows.labels, rows.sources, strict=True):
        known = {CATEGORIES[k]: bool(labels[k]) for k in np.flatnonzero(~np.isnan(labels))}
        by_source.setdefault(str(source), []).append(Example(comment, known))
    return by_source


def _example(path: Path, number: int, line: bytes) -> Example:
    try:
        value = decode_object(line)
        value.pop("id", None)
        labels = check_labels(value.pop("labels", {}))
        return Example(check_comment(value), labels)
    except InvalidLine as error:
        raise ModelError(f"{path}: line {number}: {error}") from None
