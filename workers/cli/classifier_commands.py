"""`greenroom train` and `greenroom evaluate`: make a model, measure a model."""

import dataclasses
import json
import sys
import time
from pathlib import Path
from typing import Any

import click
import numpy as np
from tqdm import tqdm

from classifier import CATEGORIES, Classifier
from classifier.dataset import Rows
from classifier.encoders import ENCODERS
from classifier.evaluation import compare, confusion
from classifier.evaluation import report as report_on
from classifier.labelled import examples_of, read_labelled
from classifier.slices import recall_kept, slices
from workers.cli.score_command import MODEL, model_option, one_line_errors, open_model


@click.command()
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Labelled comments (parquet).")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Where the model's folder goes.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "--opinions", type=click.Path(path_type=Path), help="Keep what the teacher thought here, to train again."
)
@click.option(
    "--limit", type=click.IntRange(min=1), help="Use only so many random rows and no teacher: a try."
)
@click.option(
    "--teacher",
    type=click.Choice(list(ENCODERS)),
    default="small",
    show_default=True,
    help="The language model to learn from; the large one wants a GPU.",
)
def train(data: Path, out: Path, seed: int, opinions: Path | None, limit: int | None, teacher: str) -> None:
    """Train the model that is shipped, measure it, and write it with its card and digests."""
    # Training is the only command that needs these modules, and they take a second to import.
    from classifier.training import next_version, write_shipped
    from classifier.training import train as train_model

    with one_line_errors():
        version = next_version(out, time.strftime("%Y.%m.%d", time.gmtime()))
        classifier = train_model(
            data,
            version=version,
            opinions_file=opinions,
            seed=seed,
            limit=limit,
            encoder=teacher,
            progress=_say,
        )
        folder = write_shipped(classifier, out)
    click.echo(_table(classifier.card["metrics"]))
    _say(f"wrote {folder}")


@click.command()
@click.option(
    "--data", type=click.Path(path_type=Path), required=True, help="Parquet (its dev rows) or JSON Lines."
)
@model_option
@click.option("--against", type=MODEL, help="Another model folder: is it better?")
@click.option("--json", "as_json", is_flag=True, help="Print everything measured as JSON.")
@click.option(
    "--report", type=click.Path(path_type=Path), help="Also write a page with pictures into a folder."
)
def evaluate(
    data: Path, model: Path | None, against: Path | None, as_json: bool, report: Path | None
) -> None:
    """Measure a model on labelled comments, for each source, language, kind of comment and category.

    A line of a JSON Lines file is {"body": "...", "labels": {"spam": true, ...}, ...} as for `score`.
    """
    with one_line_errors():
        rows, classifier = read_labelled(data), open_model(model)
        scores = classifier.score(rows.comments)
        result = _measured(classifier, rows, scores)
        if against is not None:
            result["comparison"] = dataclasses.asdict(
                compare(classifier, open_model(against), examples_of(rows), scores=scores)
            )
        if report is not None:
            from classifier.pictures import write_report

            _say(f"wrote {write_report(report, result, scores, rows.labels)}")
    if as_json:
        click.echo(json.dumps(result, indent=1))
        return
    click.echo(_table(result["sources"]))
    if against is not None:
        click.echo(result["comparison"]["reason"])


def _measured(classifier: Classifier, rows: Rows, scores: Any) -> dict[str, Any]:
    points = classifier.card.get("operating_points") or {}
    sources = {
        name: report_on(scores[chosen], rows.labels[chosen], np.ones(int(chosen.sum())), points)
        for name, chosen in tqdm(
            list(slices(rows)), unit=" slices", disable=not sys.stderr.isatty(), file=sys.stderr
        )
    }
    kept = {
        category: recall_kept(classifier, rows, scores, category, points[category]["hold"]["threshold"])
        for category in ("spam", "toxicity")
        if category in points
    }
    return {
        "model_version": classifier.version,
        "sources": sources,
        "confusion": confusion(scores, rows.labels, points),
        "recall_kept": kept,
    }


def _say(line: str) -> None:
    click.echo(line, err=True)


def _table(measured: dict[str, Any]) -> str:
    lines = [
        f"{'source':<44} {'category':<16} {'n':>6} {'true':>6} {'AUC':>6} {'AP':>6} {'loss':>6} {'ECE':>6}"
    ]
    for source, categories in measured.items():
        for category in CATEGORIES:
            part = categories.get(category)
            if part and part["n"]:
                names = ("auc", "average_precision", "log_loss", "calibration_error")
                numbers = " ".join("     -" if part[name] is None else f"{part[name]:6.3f}" for name in names)
                lines.append(
                    f"{source[:44]:<44} {category:<16} {part['n']:>6} {part['positives']:>6} {numbers}"
                )
    return "\n".join(lines)
