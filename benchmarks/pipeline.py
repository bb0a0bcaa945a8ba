"""Throughput and latency of the whole way, beside an RQ job a comment and a bare Flask hello.

    python -m benchmarks.pipeline [--rounds N] [--processes N] [--quick]

All share one machine with the load generator. The contestants take turns in every round, so that noise hits
them alike; each has two workers in its turn, and the servers of the others idle meanwhile. Printed are
medians, ranges and ratios. Ours are the real processes: `greenroom web`, `greenroom worker`, Redis, SQLite
with synchronous FULL and the shipped model, with the schema, the policy and the audit trail.
"""

import argparse
import statistics
import tempfile
from collections import defaultdict
from pathlib import Path

from tqdm import tqdm

from benchmarks.contestants import CONNECTIONS, Contestant, everything, start_naive, start_ours
from benchmarks.load import send_all

Figures = dict[str, list[float]]
LATENCY_RATE = 20.0


def main() -> None:
    """Run and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--processes", type=int, default=1, help="of every web server, ours and the others'")
    parser.add_argument("--quick", action="store_true", help="a tenth of the comments, to see that it works")
    options = parser.parse_args()
    scale = 0.1 if options.quick else 1.0
    figures: Figures = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder, everything(Path(folder), options.processes) as contestants:
        for _ in tqdm(range(options.rounds), unit=" rounds", disable=None):
            run_round(contestants, figures, scale)
    tell(figures)


def run_round(contestants: dict[str, Contestant], figures: Figures, scale: float) -> None:
    """Every contestant once."""
    ours, naive = contestants["ours"], contestants["naive"]
    for name in ("hello", "hello, one core"):
        requests = contestants[name].singles(int(4000 * scale))
        figures[name].append(len(requests) / send_all(contestants[name].port, requests, CONNECTIONS))
    requests = ours.singles(int(3000 * scale))
    figures["accept only"].append(len(requests) / send_all(ours.port, requests, CONNECTIONS))

    start_ours(ours)
    ours.decided_a_second(ours.singles(200), 200)  # Warm, and the rest of what was accepted only.
    count = int(6000 * scale)
    figures["ours, single"].append(ours.decided_a_second(ours.singles(count), count))
    batches = int(200 * scale)
    figures["ours, batches"].append(ours.decided_a_second(ours.batches(batches), 100 * batches, 4))
    ours.stop_workers()
    start_ours(ours, 1)
    _add_latency(figures, "ours", ours.latencies(int(200 * scale) or 20, LATENCY_RATE))
    ours.stop_workers()

    for kind, count in (("forked", int(150 * scale) + 10), ("simple", int(600 * scale) + 10)):
        start_naive(naive, kind)
        naive.decided_a_second(naive.singles(4), 4)
        figures[kind].append(naive.decided_a_second(naive.singles(count), count))
        naive.stop_workers()
    start_naive(naive, "simple", 1)
    _add_latency(figures, "simple", naive.latencies(int(200 * scale) or 20, LATENCY_RATE))
    naive.stop_workers()


def _add_latency(figures: Figures, name: str, found: list[float]) -> None:
    ordered = sorted(found)
    figures[f"{name} p50"].append(statistics.median(ordered))
    figures[f"{name} p99"].append(ordered[int(0.99 * (len(ordered) - 1))])


def tell(figures: Figures) -> None:
    """The tables."""
    middle = {name: statistics.median(values) for name, values in figures.items()}
    print(f"{'a second':<34}{'median':>10}{'range':>18}{'to forked':>11}{'to simple':>11}{'to hello':>10}")
    for name, words in (
        ("forked", "forked job a comment, decided"),
        ("simple", "SimpleWorker job a comment, decided"),
        ("ours, single", "ours, single POSTs, decided"),
        ("ours, batches", "ours, batches of 100, decided"),
        ("accept only", "ours, accepted only"),
        ("hello", "Flask hello"),
        ("hello, one core", "Flask hello, kept on one core"),
    ):
        value = middle[name]
        ratios = [value / middle[other] for other in ("forked", "simple", "hello")]
        told = f"{ratios[0]:>10.1f}x{ratios[1]:>10.1f}x{ratios[2]:>10.2f}"
        print(f"{words:<34}{value:>10,.0f}{_range(figures[name]):>18}{told}")
    print(f"\n{'accepted to decided at 20/s, ms':<34}{'p50':>10}{'range':>18}{'p99':>11}{'range':>18}")
    for name, words in (("ours", "ours, one worker"), ("simple", "SimpleWorker job a comment, one")):
        p50, p99 = f"{name} p50", f"{name} p99"
        print(
            f"{words:<34}{middle[p50]:>10.1f}{_range(figures[p50], 1):>18}"
            f"{middle[p99]:>11.1f}{_range(figures[p99], 1):>18}"
        )


def _range(values: list[float], digits: int = 0) -> str:
    return f"{min(values):,.{digits}f}-{max(values):,.{digits}f}"


if __name__ == "__main__":
    main()
