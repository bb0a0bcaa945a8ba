"""How far more scoring workers help on one machine, and that none of them does another's work again.

    python -m benchmarks.scaling [--comments N] [--rounds N] [--workers 1 2 4 8] [--store STORE] [--json FILE]

One PostgreSQL, one Redis, two web processes, three sweepers. For each number of workers the comments are
handed in first, through the batch door, while the workers stand still with their model loaded; the clock runs
from letting all of them go to the last decision. The numbers of workers take turns in every round, on a
database that grows. Then the same on SQLite with one and two workers. Exit status 1 if any comment was lost,
taken twice or decided twice.
"""

import argparse
import os
import statistics
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tqdm import tqdm

from benchmarks.figures import keep, median_and_range, parser_for
from benchmarks.installation import STORES, Installation, installation
from benchmarks.processes import end_in_order
from benchmarks.truth import without_double_work
from tests.processes.running import wait_until

WORKERS = {"postgresql": [1, 2, 4, 8], "sqlite": [1, 2]}
SWEEPERS = 3
PATIENCE_SECONDS = 1800
# Another worker has to bring this much more to count as a gain.
GAIN = 1.10


@dataclass(frozen=True)
class Drained:
    """One run: the pace, and who had the processors meanwhile, in seconds for a thousand comments."""

    a_second: float
    cpu: dict[str, float]
    busy: float


def main() -> None:
    """Run and print the tables."""
    end_in_order()
    parser = parser_for(__doc__)
    parser.add_argument("--comments", type=int, default=20_000, help="waiting when the workers start")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, nargs="+", help="default: 1 2 4 8, on SQLite 1 2")
    parser.add_argument("--store", choices=STORES, action="append", help="default: both")
    options = parser.parse_args()
    found = {store: measure(store, options) for store in options.store or sorted(STORES)}
    keep(options, "scaling", found)
    sys.exit(0 if all(one["without double work"] for one in found.values()) else 1)


def measure(store: str, options: argparse.Namespace) -> dict[str, Any]:
    """Every number of workers in every round; prints and gives the figures."""
    numbers: list[int] = options.workers or WORKERS[store]
    runs: dict[int, list[Drained]] = defaultdict(list)
    with installation(store) as ours:
        for _ in tqdm(range(options.rounds), desc=store, unit=" rounds", disable=None):
            for number in numbers:
                runs[number].append(drain(ours, number, options.comments))
        counts = ours.truth.counts()
    tell(store, runs, counts, options.comments)
    return {
        "decided a second": {number: [one.a_second for one in runs[number]] for number in numbers},
        "cpu seconds a thousand": {number: [one.cpu for one in runs[number]] for number in numbers},
        "processors busy": {number: [one.busy for one in runs[number]] for number in numbers},
        "counts": counts,
        "without double work": without_double_work(counts),
    }


def drain(ours: Installation, workers: int, comments: int) -> Drained:
    """Let this many workers decide what waits."""
    with ours.workers(workers, sweepers=SWEEPERS) as running:
        # The one comment by which the web server was found to answer, and what earlier rounds left.
        wait_until(ours.truth.all_judged, seconds=60)
        running.pause()
        ours.fill(comments)
        before, started = ours.cpu(), time.monotonic()
        running.resume()
        wait_until(ours.truth.all_judged, seconds=PATIENCE_SECONDS, pause=0.05)
        seconds, after = time.monotonic() - started, ours.cpu()
    spent = {kind: after[kind] - before[kind] for kind in after}
    busy = sum(spent.values()) / seconds / (os.cpu_count() or 1)
    return Drained(comments / seconds, {kind: 1000 * value / comments for kind, value in spent.items()}, busy)


def tell(store: str, runs: dict[int, list[Drained]], counts: dict[str, int], comments: int) -> None:
    """The table of one store."""
    print(f"\n{store}: {comments:,} comments waiting, {len(next(iter(runs.values())))} rounds")
    print(f"{'workers':>7}{'decided/s':>24}{'to one':>8}{'worker CPU':>12}{'database CPU':>14}{'busy':>7}")
    middle = {number: statistics.median(one.a_second for one in found) for number, found in runs.items()}
    for number, found in runs.items():
        pace = median_and_range([one.a_second for one in found])
        worker, database = (
            statistics.median(one.cpu[kind] for one in found) for kind in ("worker", "database")
        )
        busy = statistics.median(one.busy for one in found)
        more = middle[number] / middle[min(middle)]
        print(f"{number:>7}{pace:>24}{more:>7.2f}x{worker:>12.2f}{database:>14.2f}{busy:>7.0%}")
    print("CPU: seconds for a thousand comments; on SQLite the database's are the worker's")
    print(f"more than {stops_at(middle)} workers bring less than {GAIN - 1:.0%} here")
    told = f"{counts['submissions']:,} submissions, taken {counts['takes']:,} times, "
    told += f"{counts['scores']:,} scored, {counts['decisions']:,} decisions, "
    told += f"{counts['not decided once']} comments not decided once"
    print(f"{told}: {'no double work' if without_double_work(counts) else 'DOUBLE WORK OR LOSS'}")


def stops_at(pace: dict[int, float]) -> int:
    """The number of workers beyond which the next larger one gains too little."""
    numbers = sorted(pace)
    for fewer, more in pairwise(numbers):
        if pace[more] < GAIN * pace[fewer]:
            return fewer
    return numbers[-1]


if __name__ == "__main__":
    main()
