"""A hundred thousand comments that wait: is memory flat, and is the pace the same to the last one?

    python -m benchmarks.backlog [--comments N] [--workers N] [--store sqlite|postgresql] [--json FILE]

After a warm-up, and all that the sweeper does about it later, the comments come in through the batch door
while the workers stand still, and are then drained. The resident memory of the largest process of each kind
is looked at every second; it is flat when the highest value of each quarter of a stage stays within 10 % of
the median of the four. The pace is told by tenths of the comments, when drained by the moments at which their
batches were recorded; it is full when the last tenth is not more than 20 % below the median. One ordinary
comment a second is handed in meanwhile, to see how long its sender waits. Exit status 1 if memory or pace is
not flat, or if anything was lost or done twice.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from tqdm import tqdm

from benchmarks.crowd import singles
from benchmarks.figures import FLAT, MEGABYTE, keep, parser_for, percentiles
from benchmarks.installation import STORES, Installation, installation
from benchmarks.load import send_all
from benchmarks.processes import end_in_order, largest, watching
from benchmarks.truth import without_double_work
from tests.processes.running import wait_until

TENTHS, QUARTERS = 10, 4
SLOWEST_LAST = 0.8
PATIENCE_SECONDS = 3600
WATCHED = ("web", "worker", "redis")


@dataclass
class Stage:
    """Taking in, or draining: memory by kind at each look, and how many comments were through by when."""

    name: str
    memory: list[dict[str, int]] = field(default_factory=list)
    progress: list[tuple[float, int]] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    cpu: dict[str, float] = field(default_factory=dict)

    def paces(self) -> list[float]:
        """Comments a second in each tenth of the comments."""
        total, found, begin = self.progress[-1][1], [], self.progress[0][0]
        for tenth in range(1, TENTHS + 1):
            end = when(self.progress, total * tenth / TENTHS)
            found.append(total / TENTHS / max(end - begin, 1e-9))
            begin = end
        return found

    def peaks_of(self, kind: str) -> list[int]:
        """The highest memory in each quarter of the time, in bytes."""
        values = [one[kind] for one in self.memory if kind in one]
        parts = min(QUARTERS, len(values))
        cuts = [len(values) * part // parts for part in range(parts + 1)] if parts else []
        return [max(values[a:b]) for a, b in pairwise(cuts)]


def main() -> None:
    """Run and print the tables."""
    end_in_order()
    parser = parser_for(__doc__)
    parser.add_argument("--comments", type=int, default=100_000)
    parser.add_argument(
        "--warm", type=int, default=25_000, help="comments decided before anything is measured"
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--store", choices=STORES, action="append", help="default: both")
    options = parser.parse_args()
    found = {store: measure(store, options) for store in options.store or STORES}
    keep(options, "backlog", found)
    sys.exit(0 if all(one["flat"] for one in found.values()) else 1)


def measure(store: str, options: argparse.Namespace) -> dict[str, Any]:
    """Take in and drain on one store; prints and gives the figures."""
    with installation(store) as ours, ours.workers(options.workers) as running:
        ours.fill(options.warm)
        wait_until(ours.truth.all_judged, seconds=PATIENCE_SECONDS)
        # Or the sweeper's work on the warm-up would fall into some tenths of what is measured.
        wait_until(ours.truth.all_followed_up, seconds=PATIENCE_SECONDS)
        running.pause()
        before, already = ours.truth.size(), ours.truth.counts()["comments"]
        taken_in = take_in(ours, options.comments)
        running.resume()
        drained = drain(ours, options.comments)
        counts, size = ours.truth.counts(), ours.truth.size()
        redis = sum(path.stat().st_size for path in (ours.home / "redis").glob("**/*.aof"))
    a_million = 1_000_000 * (size - before) / (counts["comments"] - already)
    stages = [taken_in, drained]
    print(f"\n{store}: {options.comments:,} comments, {options.workers} workers, 2 web processes")
    flat = [tell(stage, options.comments) for stage in stages]
    once = without_double_work(counts)
    sizes = f"database {a_million / MEGABYTE:,.0f} MiB a million comments"
    print(f"{sizes}, Redis' files {redis / MEGABYTE:.1f} MiB in all")
    print("nothing lost or done twice" if once else f"LOST OR DONE TWICE: {counts}")
    return {
        stage.name: {
            "paces": stage.paces(),
            "memory peaks": {kind: stage.peaks_of(kind) for kind in WATCHED},
            "memory": stage.memory,
            "answers": percentiles(stage.answers),
            "cpu seconds": stage.cpu,
        }
        for stage in stages
    } | {"bytes a million": a_million, "redis bytes": redis, "counts": counts, "flat": all(flat) and once}


def take_in(ours: Installation, comments: int) -> Stage:
    """Hand everything in; the workers stand still."""
    stage = Stage("taken in", progress=[(time.monotonic(), 0)])
    before = ours.cpu()
    with watching(lambda: look(ours, stage)), tqdm(total=comments, unit=" comments", disable=None) as bar:
        for done, _ in ours.filling(comments):
            stage.progress.append((time.monotonic(), done))
            bar.update(done - bar.n)
    stage.cpu = spent_since(ours, before)
    return stage


def drain(ours: Installation, comments: int) -> Stage:
    """Wait until everything is decided."""
    stage, begin = Stage("drained"), datetime.now(UTC)
    before = ours.cpu()

    def through() -> bool:
        waiting = ours.truth.waiting()
        bar.update(max(0, comments - waiting - bar.n))
        return not waiting

    with watching(lambda: look(ours, stage)), tqdm(total=comments, unit=" comments", disable=None) as bar:
        wait_until(through, seconds=PATIENCE_SECONDS, pause=1.0)
    wait_until(ours.truth.all_judged, seconds=60)
    stage.cpu = spent_since(ours, before)
    # The looks above are too far apart: the last one comes up to a second after the end, most of a tenth.
    decided = ours.truth.decided_after(begin)
    last = next(number for number, (_, done) in enumerate(decided, 1) if done >= comments)
    stage.progress = [(0.0, 0), *decided[:last]]
    return stage


def look(ours: Installation, stage: Stage) -> None:
    """Note the memory, and the time to the answer to one ordinary comment."""
    stage.memory.append(largest(ours.processes()))
    stage.answers.append(1000 * send_all(ours.port, singles(next(ours.seeds), 1, ours.key), 1))


def spent_since(ours: Installation, before: dict[str, float]) -> dict[str, float]:
    """Processor seconds by kind."""
    return {kind: value - before[kind] for kind, value in ours.cpu().items()}


def when(progress: Sequence[tuple[float, int]], goal: float) -> float:
    """The moment at which so many were through, in between two looks in proportion."""
    for (begin, fewer), (end, more) in pairwise(progress):
        if more >= goal and more > fewer:
            return begin + (end - begin) * (goal - fewer) / (more - fewer)
    return progress[-1][0]


def tell(stage: Stage, comments: int) -> bool:
    """The lines of one stage; whether its memory and pace are flat."""
    paces, seconds = stage.paces(), stage.progress[-1][0] - stage.progress[0][0]
    middle = statistics.median(paces)
    full = paces[-1] >= SLOWEST_LAST * middle
    print(f"{stage.name} in {seconds:.1f} s; comments a second by tenths of them:")
    print(f"  {'  '.join(f'{pace:,.0f}' for pace in paces)}")
    print(f"  median {middle:,.0f}, last tenth {paces[-1] / middle - 1:+.0%}: {'full' if full else 'SLOWER'}")
    flats = [_tell_memory(kind, stage.peaks_of(kind)) for kind in WATCHED]
    answers = percentiles(stage.answers)
    print(f"  a comment meanwhile: answered after {answers['p50']:.0f} ms, at most {answers['max']:.0f} ms")
    cpu = ", ".join(f"{kind} {value:,.0f}" for kind, value in stage.cpu.items() if value >= 0.5)
    print(f"  processor seconds for {comments:,}: {cpu}")
    return full and all(flats)


def _tell_memory(kind: str, peaks: list[int]) -> bool:
    if not peaks:
        return True
    middle = statistics.median(peaks)
    worst = max(abs(value / middle - 1) for value in peaks)
    # Redis is so small that a page more is a share of it.
    flat = worst <= FLAT or kind == "redis"
    shown = "  ".join(f"{value / MEGABYTE:.0f}" for value in peaks)
    print(f"  {kind:<7}MiB, highest by quarters: {shown}: {'flat' if flat else 'NOT FLAT'} ({worst:.0%})")
    return flat


if __name__ == "__main__":
    main()
