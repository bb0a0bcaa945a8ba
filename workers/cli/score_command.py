"""`greenroom score`: the model without a server. Imports nothing that takes long: many are short pipes."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click
from tqdm import tqdm

from classifier import Classifier, ModelError, load
from classifier.lines import read_batches, score_lines
from classifier.registry import load_shipped

MODEL = click.Path(path_type=Path, exists=False)
model_option = click.option("--model", type=MODEL, help="A model folder.  [default: the shipped model]")


@click.command()
@click.argument("source", metavar="[INPUT]", type=click.File("rb"), default="-")
@click.argument("target", metavar="[OUTPUT]", type=click.File("wb"), default="-")
@model_option
@click.option("--explain", is_flag=True, help="Add the spans of the body that moved the scores most.")
def score(source: BinaryIO, target: BinaryIO, model: Path | None, explain: bool) -> None:
    """Score comments: JSON Lines in, JSON Lines out, in the same order.

    A line is {"body": "...", "author": {"name", "email", "url"}, "thread": {"title"}, "id": any}; only the
    body is needed. A line that is not valid is answered with its error.
    """
    with one_line_errors():
        classifier = open_model(model)
        with tqdm(unit=" comments", disable=not sys.stderr.isatty(), file=sys.stderr) as progress:
            for lines in read_batches(source):
                answers = score_lines(classifier, lines, explain=explain)
                target.write("".join(json.dumps(answer) + "\n" for answer in answers).encode())
                target.flush()
                progress.update(len(lines))


@contextmanager
def one_line_errors() -> Iterator[None]:
    """What the caller can put right is one line on stderr and exit status 2."""
    try:
        yield
    except (ModelError, FileNotFoundError, IsADirectoryError, PermissionError) as error:
        click.echo(f"greenroom: {error}", err=True)
        sys.exit(2)


def open_model(path: Path | None) -> Classifier:
    return load_shipped() if path is None else load(path)
