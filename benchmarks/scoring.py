"""How long scoring takes: this model beside the usual scikit-learn pipeline and the cost of splitting words.

    python -m benchmarks.scoring [--data PATH] [--rounds N]

Rounds of all contestants take turns in one process, so that noise hits them alike; printed are medians and
the range, in microseconds a comment, and ratios to ours. The comments are real, of about 50, 300 and 2,000
characters. All contestants have read others of the kind before, and these hardly: a few of a large batch were
in a smaller one. "Seen before" is the same batch again, all words known. Also: the time to load the model
and the memory it takes, each in processes of their own.
"""

import argparse
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline

from classifier.dataset import read_rows
from classifier.facts import body_of
from classifier.registry import load_shipped

Contestant = Callable[[Sequence[str]], object]
_LENGTHS = {50: (40, 60), 300: (250, 350), 2000: (1500, 2500)}
_BATCHES = (1, 64, 512)
_WORD = re.compile(r"\w+")
_LOADING = """
import re, sys, time
import numpy, scipy.sparse
def mebibytes():
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024
before = mebibytes()
started = time.perf_counter()
from classifier.registry import load_shipped
imported = time.perf_counter()
model = load_shipped()
loaded = time.perf_counter()
for line in open(sys.argv[1], encoding="utf-8"):
    model.score([{"body": line}])
print(imported - started, loaded - imported, mebibytes() - before)
"""


def main() -> None:
    """Run and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/comments.parquet"))
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    seen, unseen = (english(options.data, split) for split in ("train", "dev"))
    contestants = contestants_of(seen)
    print(f"{'length':>6} {'batch':>5}  {'contestant':<28} {'us a comment':>12} {'range':>15} {'ratio':>6}")
    for length in _LENGTHS:
        warm, fresh = of_length(seen, length)[:3000], of_length(unseen, length)
        for contestant in contestants.values():
            contestant(warm)
        for batch in _BATCHES:
            print_rounds(contestants, fresh, length, batch, options.rounds)
    print_loading(of_length(unseen, 300)[:300], options.rounds)


def english(path: Path, split: str) -> list[str]:
    """The bodies of a split's English comments."""
    rows = read_rows(path, split)
    return [
        body_of(comment) for comment, lang in zip(rows.comments, rows.languages, strict=True) if lang == "en"
    ]


def of_length(texts: Sequence[str], length: int) -> list[str]:
    """Those of about a length."""
    low, high = _LENGTHS[length]
    return [text for text in texts if low <= len(text) <= high]


def contestants_of(texts: Sequence[str]) -> dict[str, Contestant]:
    """Ours, the usual way, and the least that reading words can cost."""
    model = load_shipped()
    usual = usual_pipeline(texts[:20_000])
    return {
        "ours": lambda batch: model.score([{"body": text} for text in batch]),
        "TF-IDF + 7 linear models": usual.predict_proba,
        "a regular expression alone": lambda batch: [_WORD.findall(text) for text in batch],
    }


def usual_pipeline(texts: Sequence[str]) -> Pipeline:
    """Words 1-2 and characters 2-5 in words, one logistic regression a category (on made-up labels: only the
    time matters here)."""
    union = FeatureUnion(
        [
            ("words", TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)),
            (
                "characters",
                TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=3, sublinear_tf=True),
            ),
        ]
    )
    labels = np.random.default_rng(0).uniform(size=(len(texts), 7)) < 0.2
    heads = OneVsRestClassifier(LogisticRegression(solver="liblinear", max_iter=20))
    return make_pipeline(union, heads).fit(texts, labels)


def print_rounds(
    contestants: dict[str, Contestant], texts: Sequence[str], length: int, batch: int, rounds: int
) -> None:
    """Let the contestants take turns, each round on the next comments."""
    amount = min(batch * 8, 64) if batch == 1 else batch
    again = "ours, seen before"
    times: dict[str, list[float]] = {name: [] for name in (*contestants, again)}
    for number in range(rounds):
        at = number * amount % max(1, len(texts) - amount)
        part = texts[at : at + amount]
        for name, contestant in [*contestants.items(), (again, contestants["ours"])]:
            started = time.perf_counter()
            for i in range(0, len(part), batch):
                contestant(part[i : i + batch])
            times[name].append((time.perf_counter() - started) / len(part) * 1e6)
    ours = statistics.median(times["ours"])
    for name, taken in times.items():
        median = statistics.median(taken)
        spread = f"{min(taken):.0f}-{max(taken):.0f}"
        print(f"{length:>6} {batch:>5}  {name:<28} {median:>12.0f} {spread:>15} {median / ours:>6.1f}")


def print_loading(texts: Sequence[str], rounds: int) -> None:
    """Load the shipped model in fresh processes and score some comments."""
    import tempfile

    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".txt") as file:
        file.write("\n".join(" ".join(text.split()) for text in texts))
        file.flush()
        runs: list[list[float]] = []
        for _ in range(rounds):
            command = [sys.executable, "-c", _LOADING, file.name]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            runs.append([float(part) for part in done.stdout.split()])
    for name, column in zip(("import (s)", "load (s)", "memory (MiB)"), zip(*runs, strict=True), strict=True):
        print(f"{name:<14} {statistics.median(column):>8.2f}   {min(column):.2f}-{max(column):.2f}")


if __name__ == "__main__":
    main()
