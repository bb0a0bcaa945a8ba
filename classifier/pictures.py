"""A report with pictures, as one page that needs no network. Needs matplotlib (the `train` extra)."""

import html
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve, roc_curve

from classifier.categories import CATEGORIES
from classifier.errors import ModelError
from classifier.manifest import write_durably

Array = NDArray[Any]
_BINS = 15
_CONFUSION = ("threshold", "true_above", "false_above", "true_below", "false_below")
_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
figure { display: inline-block; width: min(100%, 34rem); margin: 0 1rem 1rem 0; background: #fff; }
svg { width: 100%; height: auto; } .wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .6rem; text-align: right; border-bottom: 1px solid #8885; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
"""


def write_report(folder: Path, result: Mapping[str, Any], scores: Array, labels: Array) -> Path:
    """Write report.json and index.html into a folder; scores and labels (n, 7).

    ModelError without matplotlib.
    """
    try:
        import matplotlib
    except ImportError:
        raise ModelError("a report with pictures needs matplotlib: pip install 'greenroom[train]'") from None
    matplotlib.use("svg")
    # The same report gives the same bytes.
    matplotlib.rcParams.update({"svg.hashsalt": "greenroom", "svg.fonttype": "none"})
    drawings = [
        ("ROC curves", _roc),
        ("Precision and recall", _precision_recall),
        ("Reliability", _reliability),
        ("Scores by label", _histograms),
    ]
    figures = "".join(
        f"<figure><figcaption>{title}</figcaption>{_svg(draw, scores, labels)}</figure>"
        for title, draw in drawings
    )
    folder.mkdir(parents=True, exist_ok=True)
    write_durably(folder / "report.json", (json.dumps(result, indent=1) + "\n").encode())
    page = folder / "index.html"
    write_durably(page, _page(result, figures).encode())
    return page


def _svg(draw: Callable[[Any, Array, Array, str], None], scores: Array, labels: Array) -> str:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 4, figsize=(11, 5.6), layout="constrained")
    for axis, (k, category) in zip(axes.flat, enumerate(CATEGORIES), strict=False):
        known = ~np.isnan(labels[:, k])
        axis.set_title(category, fontsize=9)
        axis.tick_params(labelsize=7)
        if len(np.unique(labels[known, k])) == 2:
            draw(axis, scores[known, k].astype(np.float64), labels[known, k], category)
    axes.flat[-1].axis("off")
    target = io.StringIO()
    figure.savefig(target, format="svg", metadata={"Date": None})
    plt.close(figure)
    return target.getvalue()[target.getvalue().index("<svg") :]


def _roc(axis: Any, scores: Array, labels: Array, _: str) -> None:
    false, true, _thresholds = roc_curve(labels, scores)
    axis.plot(false, true)
    axis.set(xscale="symlog", xlim=(0, 1), ylim=(0, 1))
    axis.set_xscale("symlog", linthresh=0.01)
    axis.axvline(0.01, linestyle=":", linewidth=0.8, color="grey")
    axis.set_xlabel("false alarms", fontsize=7)
    axis.set_ylabel("found", fontsize=7)


def _precision_recall(axis: Any, scores: Array, labels: Array, _: str) -> None:
    precision, recall, _thresholds = precision_recall_curve(labels, scores)
    axis.plot(recall, precision)
    axis.set(xlim=(0, 1), ylim=(0, 1.02))
    axis.set_xlabel("found", fontsize=7)
    axis.set_ylabel("right among the found", fontsize=7)


def _reliability(axis: Any, scores: Array, labels: Array, _: str) -> None:
    bins = np.minimum((scores * _BINS).astype(np.int64), _BINS - 1)
    count = np.bincount(bins, minlength=_BINS)
    there = count > 0
    mean, share = (np.bincount(bins, weights=part, minlength=_BINS) for part in (scores, labels))
    axis.plot([0, 1], [0, 1], linestyle=":", linewidth=0.8, color="grey")
    axis.plot(mean[there] / count[there], share[there] / count[there], marker="o", markersize=3)
    axis.set_xlabel("probability given", fontsize=7)
    axis.set_ylabel("share true", fontsize=7)


def _histograms(axis: Any, scores: Array, labels: Array, _: str) -> None:
    for truth, name in ((0, "fine"), (1, "not fine")):
        axis.hist(scores[labels == truth], bins=30, range=(0, 1), histtype="step", log=True, label=name)
    axis.legend(fontsize=6)
    axis.set_xlabel("score", fontsize=7)


def _page(result: Mapping[str, Any], figures: str) -> str:
    title = f"Model {html.escape(str(result['model_version']))}"
    kept = result.get("recall_kept") or {}
    parts = [
        f"<h1>{title}</h1>",
        f"<p>{html.escape(result['comparison']['reason'])}</p>" if "comparison" in result else "",
        figures,
        "<h2>By source, language and kind</h2>",
        _measures(result["sources"]),
        "<h2>At the operating points</h2>",
        _confusion(result["confusion"]),
        "<h2>Found in disguise, of those found as written</h2>" if kept else "",
        _shares(kept),
    ]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body>{''.join(parts)}</body></html>\n"
    )


def _measures(groups: Mapping[str, Any]) -> str:
    names = ("n", "positives", "auc", "average_precision", "log_loss", "calibration_error")
    rows = [
        [name, category, *(part[measure] for measure in names)]
        for name, categories in groups.items()
        for category, part in categories.items()
        if part["n"]
    ]
    return _table(["slice", "category", "comments", "true", "AUC", "AP", "log-loss", "ECE"], rows)


def _confusion(points: Mapping[str, Any]) -> str:
    rows = [
        [
            category,
            name,
            *(at[part] for part in _CONFUSION),
        ]
        for category, both in points.items()
        for name, at in both.items()
    ]
    return _table(["category", "point", "threshold", "hits", "false alarms", "missed", "rightly left"], rows)


def _shares(kept: Mapping[str, Mapping[str, float]]) -> str:
    rows = [[name, category, share] for category, by in kept.items() for name, share in by.items()]
    return _table(["disguise", "category", "still found"], rows) if rows else ""


def _table(head: list[str], rows: list[list[Any]]) -> str:
    def cell(value: Any) -> str:
        shown = "" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
        return f"<td>{html.escape(shown)}</td>"

    body = "".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in rows)
    heads = "".join(f"<th>{name}</th>" for name in head)
    return f'<div class="wide"><table><tr>{heads}</tr>{body}</table></div>'
