"""Do explanations point where people point? Character F1 on comments whose toxic parts people marked.

    python -m benchmarks.spans [--data PATH] [--category toxicity]

The rule of SemEval-2021 Task 5 (Pavlopoulos et al. 2021): F1 of the marked characters of each comment, 1 when
nothing is marked and nothing is found, averaged over comments. Beside it: every word, and the lists of the
ten most marked words, as the least that an explanation must beat.
"""

import argparse
import statistics
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tqdm import tqdm

from classifier.explanation import Span
from classifier.registry import load_shipped

_MOST_MARKED = 10


def main() -> None:
    """Print the F1 of each split."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/toxic_spans.parquet"))
    parser.add_argument("--category", default="toxicity", help="whose spans count; 'any' for all but spam")
    options = parser.parse_args()
    rows = read_rows(options.data)
    model = load_shipped()
    for split, part in rows.items():
        started = time.perf_counter()
        explained = [model.explain([{"body": row["text"]}])[0] for row in tqdm(part, unit=" comments")]
        each = (time.perf_counter() - started) / len(part) * 1e3
        found = [characters(spans, options.category) for spans in explained]
        marked = [set(row["spans"]) for row in part]
        common = common_words(rows["train"])
        simple = [characters_of_words(row["text"], common) for row in part]
        whole = [set(range(len(row["text"]))) for row in part]
        print(
            f"{split:<6} {len(part):>6} comments: F1 {f1(found, marked):.3f}; ten most marked words "
            f"{f1(simple, marked):.3f}; every character {f1(whole, marked):.3f}; {each:.2f} ms an explanation"
        )


def read_rows(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Comments by split."""
    import pyarrow.parquet as parquet

    by_split: dict[str, list[dict[str, Any]]] = {}
    for row in parquet.read_table(path).to_pylist():
        by_split.setdefault(row["split"], []).append(row)
    return by_split


def characters(spans: Iterable[Span], category: str) -> set[int]:
    """The positions inside spans of a category."""
    chosen = (s for s in spans if s.category == category or (category == "any" and s.category != "spam"))
    return {i for span in chosen for i in range(span.start, span.end)}


def common_words(rows: list[dict[str, Any]]) -> set[str]:
    """The words most often marked in full."""
    counted: Counter[str] = Counter()
    for row in rows:
        marked = set(row["spans"])
        counted.update(
            word for word, at in words(row["text"]) if marked.issuperset(range(at, at + len(word)))
        )
    return {word for word, _ in counted.most_common(_MOST_MARKED)}


def characters_of_words(text: str, chosen: set[str]) -> set[int]:
    """The positions of words that are among the chosen."""
    return {i for word, at in words(text) if word in chosen for i in range(at, at + len(word))}


def words(text: str) -> list[tuple[str, int]]:
    """Words in lower case and where they start."""
    found, at = [], 0
    for word in text.lower().split():
        at = text.lower().index(word, at)
        found.append((word.strip(".,;:!?\"'()"), at + len(word) - len(word.lstrip(".,;:!?\"'()"))))
        at += len(word)
    return found


def f1(found: list[set[int]], marked: list[set[int]]) -> float:
    """The mean of each comment's F1."""
    return statistics.fmean(
        2 * len(a & b) / (len(a) + len(b)) if a or b else 1.0 for a, b in zip(found, marked, strict=True)
    )


if __name__ == "__main__":
    main()
