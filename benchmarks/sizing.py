"""What a million comments cost: comments a second and processor hours, by number of web and worker processes.

    python -m benchmarks.sizing [--comments N] [--rounds N] [--store STORE] [--price PRICE] [--json FILE]

For each store and each number of web processes and workers comments are handed in one by one over 32
connections, and then by the hundred; the clock runs from the first request to the last decision. Processor
seconds are those of all processes of the service and of PostgreSQL, not of the load generator. They say what
a million comments cost at any pace and on any number of machines, as long as their cores are alike.
"""

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tqdm import tqdm

from benchmarks.crowd import batches, singles
from benchmarks.figures import keep, median_and_range, parser_for
from benchmarks.installation import SENDERS, STORES, Installation, installation
from benchmarks.load import send_all
from benchmarks.processes import end_in_order
from tests.processes.running import wait_until

# Web processes and scoring workers.
SIZES = ((1, 1), (2, 1), (1, 2), (2, 2))
CONNECTIONS = 32
WARM = 1_000
PATIENCE_SECONDS = 1800
SECONDS_AN_HOUR = 3600


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    store: str
    web: int
    workers: int
    door: str


@dataclass(frozen=True)
class Measured:
    """Decided a second, and processor seconds a million by kind of process."""

    decided: float
    cpu: dict[str, float]


def main() -> None:
    """Run and print the table."""
    end_in_order()
    parser = parser_for(__doc__)
    parser.add_argument(
        "--comments", type=int, default=5_000, help="one by one; ten times as many in batches"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--store", choices=STORES, action="append", help="default: both")
    parser.add_argument("--price", type=float, help="of a core for an hour, to print the cost")
    options = parser.parse_args()
    found: dict[Row, list[Measured]] = defaultdict(list)
    sizes = [(store, *size) for store in options.store or STORES for size in SIZES]
    for _ in range(options.rounds):
        for store, web, workers in tqdm(sizes, unit=" sizes", disable=None):
            for door, measured in measure(store, web, workers, options.comments).items():
                found[Row(store, web, workers, door)].append(measured)
    tell(found, options)
    keep(options, "sizing", {"rows": [_record(row, runs) for row, runs in found.items()]})


def measure(store: str, web: int, workers: int, comments: int) -> dict[str, Measured]:
    """Both doors of an installation of this size."""
    with installation(store, web_processes=web) as ours, ours.workers(workers):
        run(ours, list(batches(next(ours.seeds), WARM, ours.key)), WARM, SENDERS)
        return {
            "one by one": run(ours, singles(next(ours.seeds), comments, ours.key), comments, CONNECTIONS),
            "by the hundred": run(
                ours, list(batches(next(ours.seeds), 10 * comments, ours.key)), 10 * comments, SENDERS
            ),
        }


def run(ours: Installation, requests: Sequence[bytes], comments: int, connections: int) -> Measured:
    """From the first request to the last decision."""
    before, started = ours.cpu(), time.monotonic()
    send_all(ours.port, requests, connections)
    wait_until(ours.truth.all_judged, seconds=PATIENCE_SECONDS, pause=0.02)
    seconds, after = time.monotonic() - started, ours.cpu()
    million = 1_000_000 / comments
    return Measured(comments / seconds, {kind: million * (after[kind] - before[kind]) for kind in after})


def tell(found: dict[Row, list[Measured]], options: argparse.Namespace) -> None:
    """The table; processor hours are medians of the rounds."""
    head = f"{'store':<11}{'web':>4}{'workers':>8}  {'handed in':<15}{'decided/s':>22}"
    head += f"{'web h':>8}{'worker h':>10}{'database h':>12}{'all h':>8}"
    print(head + (f"{'cost':>10}" if options.price else "") + "   (processor hours a million)")
    for row, runs in found.items():
        hours = {
            kind: statistics.median(one.cpu[kind] for one in runs) / SECONDS_AN_HOUR for kind in runs[0].cpu
        }
        total = statistics.median(sum(one.cpu.values()) for one in runs) / SECONDS_AN_HOUR
        line = f"{row.store:<11}{row.web:>4}{row.workers:>8}  {row.door:<15}"
        line += f"{median_and_range([one.decided for one in runs]):>22}"
        line += f"{hours['web']:>8.2f}{hours['worker']:>10.2f}{hours['database']:>12.2f}{total:>8.2f}"
        print(line + (f"{total * options.price:>10.2f}" if options.price else ""))


def _record(row: Row, runs: Sequence[Measured]) -> dict[str, Any]:
    return asdict(row) | {"decided": [one.decided for one in runs], "cpu": [one.cpu for one in runs]}


if __name__ == "__main__":
    main()
