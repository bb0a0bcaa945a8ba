"""Minutes under load with a kill -9 every few seconds: nothing lost, nothing double, memory flat.

    python -m benchmarks.soak [--minutes M] [--kill-every S] [--share 0.7] [--postgresql] [--json FILE]

Runs `greenroom up` (its supervisor, web server, workers, sweeper and embedded Redis), measures for some
seconds how many comments a second it decides from single requests, and then sends that share of it, evenly,
from frontends that send again with the same Idempotency-Key whatever has no answer. Meanwhile a web process,
the scoring worker, the sweeper or Redis is killed, taken at random. A line a minute. In the end the database
is asked: every key that was answered has one comment, every comment one decision. Exit status 1 if not, or if
the memory of web server or worker is not flat.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.figures import FLAT, MEGABYTE, keep, parser_for, percentile, percentiles
from benchmarks.frontends import Frontends, Sent, frontends
from benchmarks.installation import UNLIMITED, running_postgresql
from benchmarks.killer import killing
from benchmarks.processes import Seen, below, by_kind, end_in_order, watching
from benchmarks.truth import Truth
from tests.processes.running import Service, running_service, wait_until

LOOK_SECONDS = 2.0
# A process just started has not yet read what it works with.
GROWN_UP_SECONDS = 10.0
CONNECTIONS = 16
QUARTERS = 4
Look = tuple[float, list[Seen]]


def main() -> None:
    """Run once and print; exit status 1 if anything was lost, double or growing."""
    end_in_order()
    parser = parser_for(__doc__)
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--kill-every", type=float, default=20.0, metavar="SECONDS")
    parser.add_argument("--share", type=float, default=0.7, help="of the measured capacity")
    parser.add_argument("--a-second", type=float, help="send so many instead of measuring the capacity")
    parser.add_argument("--measure", type=float, default=20.0, metavar="SECONDS", help="of measuring it")
    parser.add_argument("--seed", type=int, default=1, help="of the victims")
    parser.add_argument("--postgresql", action="store_true", help="instead of SQLite")
    options = parser.parse_args()
    with service(options.postgresql) as (running, truth):
        found = run(running, truth, options)
    keep(options, "soak", found)
    sys.exit(0 if found["lost"] == found["double"] == 0 and found["flat"] else 1)


@contextmanager
def service(postgresql: bool) -> Iterator[tuple[Service, Truth]]:
    """The whole service under its own supervisor, and a way to ask its database."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="greenroom-"))) / "home"
        url, settings = f"sqlite:///{home / 'greenroom.db'}", {"LOG_LEVEL": "warning"} | UNLIMITED
        if postgresql:
            url, _ = stack.enter_context(running_postgresql())
            settings["DATABASE_URL"] = url
        running = stack.enter_context(running_service(home, **settings))
        yield running, stack.enter_context(Truth.of(url, running.keys["site_id"]))


def run(running: Service, truth: Truth, options: argparse.Namespace) -> dict[str, Any]:
    """Measure the capacity, send, kill, and ask for the truth."""
    key, port, root = running.keys["secret_key"], running.port, running.supervisor.pid
    accepted: list[Sent] = []
    capacity = None
    if options.a_second is None:
        capacity, sent = measure_capacity(running, truth, options.measure)
        accepted += sent
    pace = options.a_second or options.share * (capacity or 0.0)
    print(
        f"capacity {capacity or 0:,.0f} a second; sending {pace:,.0f} for {options.minutes:g} minutes",
        flush=True,
    )
    with (
        watching(lambda: below(root), LOOK_SECONDS) as looks,
        frontends(port, key, CONNECTIONS, pace) as senders,
        killing(root, options.kill_every, options.seed) as killed,
    ):
        every_minute(options.minutes, senders, truth, looks, killed)
    print("no more comments; waiting for the last decisions", flush=True)
    began = time.monotonic()
    wait_until(truth.all_judged, seconds=120)
    print(f"all decided {time.monotonic() - began:.1f} s after the last answer")
    accepted += senders.accepted
    return (
        {"capacity": capacity, "a second": pace, "killed": dict(killed), "refused": len(senders.refused)}
        | tell_times(senders, truth)
        | tell_memory(looks)
        | tell_truth(accepted, truth, len(senders.refused))
    )


def measure_capacity(running: Service, truth: Truth, seconds: float) -> tuple[float, list[Sent]]:
    """Decided a second, from the first request to the last decision, sending as fast as is answered."""
    key, port = running.keys["secret_key"], running.port
    with frontends(port, key, CONNECTIONS, None) as warm:
        time.sleep(min(3.0, seconds))
    wait_until(truth.all_judged, seconds=60)
    started = time.monotonic()
    with frontends(port, key, CONNECTIONS, None) as senders:
        time.sleep(seconds)
    wait_until(truth.all_judged, seconds=120, pause=0.02)
    return len(senders.accepted) / (time.monotonic() - started), warm.accepted + senders.accepted


def every_minute(
    minutes: float, senders: Frontends, truth: Truth, looks: Sequence[Look], killed: Counter[str]
) -> None:
    """Wait for the time to pass, and say each minute how things are."""
    head = f"{'minute':>6}{'accepted':>10}{'/s':>7}{'p50 ms':>8}{'p99 ms':>8}{'waiting':>9}{'again':>7}"
    print(f"{head}  MiB web/worker/redis  killed so far", flush=True)
    began, told = time.monotonic(), 0
    end = began + 60 * minutes
    while (now := time.monotonic()) < end:
        until = min(end, now + 60)
        time.sleep(until - now)
        lately, total = senders.accepted[told:], len(senders.accepted)
        answers = _answer_times(lately)
        figures = f"{(until - began) / 60:>6.1f}{total:>10,}{(total - told) / (until - now):>7,.0f}"
        figures += f"{percentile(answers, 0.5):>8,.0f}{percentile(answers, 0.99):>8,.0f}{truth.waiting():>9,}"
        memory = "/".join(
            f"{middle_of(looks[-30:], kind) / MEGABYTE:.0f}" for kind in ("web", "worker", "redis")
        )
        victims = ", ".join(f"{kind} {count}" for kind, count in sorted(killed.items()))
        print(f"{figures}{senders.repeats:>7,}  {memory:<20}  {victims}", flush=True)
        told = total


def middle_of(looks: Sequence[Look], kind: str) -> float:
    """The median resident memory of the kind's largest process, of those that have grown up."""
    largest = [
        max(grown)
        for _, seen in looks
        if (grown := [one.resident for one in by_kind(seen)[kind] if one.age > GROWN_UP_SECONDS])
    ]
    return statistics.median(largest) if largest else 0.0


def tell_memory(looks: Sequence[Look]) -> dict[str, Any]:
    """First quarter against last; whether that of web and worker is flat."""
    memory, flat = {}, True
    for kind in ("web", "worker", "sweeper", "redis"):
        cuts = [len(looks) * quarter // QUARTERS for quarter in range(QUARTERS + 1)]
        quarters = [middle_of(looks[a:b], kind) for a, b in pairwise(cuts)]
        memory[kind] = quarters
        change = quarters[-1] / quarters[0] - 1 if quarters[0] else 0.0
        grew = kind in ("web", "worker") and abs(change) > FLAT
        flat = flat and not grew
        shown = "  ".join(f"{value / MEGABYTE:.0f}" for value in quarters)
        print(f"{kind:<8}MiB by quarters: {shown}; {change:+.0%}{'  NOT FLAT' if grew else ''}")
    return {"memory by quarters": memory, "flat": flat}


def tell_times(senders: Frontends, truth: Truth) -> dict[str, Any]:
    """From when a comment was due to its answer, and from accepted to decided."""
    answers = percentiles(_answer_times(senders.accepted))
    decided = percentiles([1000 * (after - before).total_seconds() for before, after in truth.times()])
    for name, found in (("due to answered", answers), ("accepted to decided", decided)):
        print(f"{name:<20} ms: {', '.join(f'{which} {value:,.0f}' for which, value in found.items())}")
    again = sum(one.times > 1 for one in senders.accepted)
    print(f"{again:,} comments were sent more than once, {senders.repeats:,} requests more")
    return {"answered ms": answers, "decided ms": decided, "sent again": again, "repeats": senders.repeats}


def tell_truth(accepted: Sequence[Sent], truth: Truth, refused: int) -> dict[str, Any]:
    """What was lost and what is double, by the database."""
    counts, by_key = truth.counts(), truth.comments_by_key()
    lost = sum(by_key.get(one.key) != one.comment_id for one in accepted) + counts["pending"] + refused
    double = counts["comments"] - len(accepted) + counts["decisions"] - counts["comments"]
    double += counts["not decided once"]
    print(
        f"{len(accepted):,} answered, {counts['comments']:,} comments, {counts['decisions']:,} decisions, "
        f"{counts['taken again']:,} taken again after a kill, {counts['unscored']:,} held as unscored"
    )
    print(f"lost: {lost}; double: {double}")
    return {"answered": len(accepted), "counts": counts, "lost": lost, "double": double}


def _answer_times(sent: Sequence[Sent]) -> list[float]:
    return [1000 * (one.answered - one.due) for one in sent]


if __name__ == "__main__":
    main()
