"""What a model makes of comments that were written to test it, in English and in other languages.

    python -m benchmarks.cases [--model FOLDER ...]

Each file in `cases/` has one comment a line with its labels. Whoever wrote them had not seen the grammars
that make comments to learn from (classifier/grammars). They are no people's comments: their figures tell two
models apart, and kinds of comments that a model knows from those that it does not.

Printed per file: the area under the ROC curve of each category, and what happens to the comments at the
model's operating points: of those that are fine how many would be rejected or held, of toxic ones and adverts
how many would be approved. With --kinds also the mean probability of each kind of comment.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from classifier.categories import CATEGORIES
from classifier.model import Classifier, load
from classifier.registry import load_shipped

FOLDER = Path(__file__).with_name("cases")
_MEASURED = ("toxicity", "identity_attack", "threat", "spam")


def main() -> None:
    """Print a table for each model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--model", type=Path, action="append", help="a model's folder; the shipped one if none"
    )
    parser.add_argument("--kinds", action="store_true", help="print each kind of comment too")
    options = parser.parse_args()
    for model in map(load, options.model) if options.model else [load_shipped()]:
        print(f"{model.version}\n{'cases':<12} {'':>5}" + "".join(f"{c[:8]:>9}" for c in _MEASURED), end="")
        print(f"{'rejected':>10}{'held':>6}  approved: {'toxic':>5}{'advert':>8}")
        for path in sorted(FOLDER.glob("*.jsonl")):
            print_file(model, path.stem, read_cases(path), options.kinds)


def read_cases(path: Path) -> list[dict[str, Any]]:
    """The comments of a file, with their labels as members."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def print_file(model: Classifier, name: str, cases: Sequence[dict[str, Any]], kinds: bool) -> None:
    """One line of the table, and one for each kind of comment."""
    scores = model.score([{"body": case["body"], "author": case.get("author", {})} for case in cases])
    areas = [area(scores, cases, category) for category in _MEASURED]
    rejected, held = (above(model, scores, point) for point in ("reject", "hold"))
    toxic, spam = (np.array([case.get(c) == 1 for case in cases]) for c in ("toxicity", "spam"))
    fine = ~toxic & ~spam
    print(f"{name:<12} {len(cases):>5}" + "".join(f"{area:>9.3f}" for area in areas), end="")
    print(f"{rejected[fine].mean():>10.1%}{(held & ~rejected)[fine].mean():>6.0%}", end="")
    print(f"{'':>11}{share(~held, toxic):>6}{share(~held, spam):>8}")
    for kind in sorted({case.get("case", "") for case in cases}) if kinds else []:
        chosen = [case.get("case", "") == kind for case in cases]
        means = (scores[chosen, CATEGORIES.index(category)].mean() for category in _MEASURED)
        print(f"    {kind:<14}" + "".join(f"{mean:>9.3f}" for mean in means))


def area(scores: NDArray[np.float32], cases: Sequence[dict[str, Any]], category: str) -> float:
    """The area under the ROC curve over the cases that are labelled, NaN if they are all of one kind."""
    labels = np.array([case.get(category, np.nan) for case in cases], dtype=np.float64)
    known = ~np.isnan(labels)
    if len(np.unique(labels[known])) < 2:
        return float("nan")
    return float(roc_auc_score(labels[known], scores[known, CATEGORIES.index(category)]))


def above(model: Classifier, scores: NDArray[np.float32], point: str) -> NDArray[np.bool_]:
    """Which comments are at or above an operating point in any category (n,)."""
    found = np.zeros(len(scores), np.bool_)
    for k, category in enumerate(CATEGORIES):
        chosen = model.card["operating_points"][category][point]
        if chosen["threshold"] is not None:
            found |= scores[:, k] >= chosen["threshold"]
    return found


def share(what: NDArray[np.bool_], among: NDArray[np.bool_]) -> str:
    """How many of some comments, as text."""
    return f"{what[among].mean():.0%}" if among.any() else "-"


if __name__ == "__main__":
    main()
