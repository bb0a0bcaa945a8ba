"""Real comments through the whole service: none lost, all decided, and what came of each label.

    python -m benchmarks.end_to_end [--faults] [--data PATH]

Starts a service of its own in a temporary folder. With `--faults` the scoring worker is killed (kill -9)
and Redis is emptied (FLUSHALL), several times, while the comments come in. No comment text is printed.
"""

import argparse
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tqdm import tqdm

from tests.processes.running import Service, running_service, wait_until

BLOGS = "blog_staticman dev sites"
JIGSAW = "jigsaw2018 (six labels, lower-cased, no punctuation)"
JIGSAW_COMMENTS = 500
OUTCOMES = ("approved", "held", "rejected", "pending")


@dataclass(frozen=True)
class Row:
    """A labelled comment to hand in."""

    label: str
    comment: dict[str, Any]


def main() -> None:
    """Run once and print the tables; exit status 1 if a comment was lost or left undecided."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/comments.parquet"))
    parser.add_argument("--faults", action="store_true", help="kill the worker and empty Redis meanwhile")
    parser.add_argument("--threads", type=int, default=4, help="comments handed in at the same time")
    options = parser.parse_args()
    rows = read_rows(options.data)
    with tempfile.TemporaryDirectory() as folder:
        settings = {"SCORING_SECONDS": "3"} if options.faults else {}
        with running_service(Path(folder) / "home", **{"RATE_SITE": "off"} | settings) as service:
            sys.exit(0 if run(service, rows, options.threads, options.faults) else 1)


def run(service: Service, rows: list[Row], threads: int, faults: bool) -> bool:
    """Hand everything in, wait for the decisions, print; whether nothing was lost."""
    started = time.monotonic()
    with _faults(service) if faults else _nothing() as injected, ThreadPoolExecutor(threads) as pool:
        posts = pool.map(lambda row: hand_in(service, row), rows)
        ids = list(tqdm(posts, total=len(rows), unit=" comments", disable=None))
    accepted = time.monotonic() - started
    wait_until(lambda: _pending(service) == 0, seconds=120)
    decided = time.monotonic() - started
    found = [fate(service, comment_id) for comment_id in ids]
    print(f"{len(rows)} comments handed in by {threads} threads, faults: {injected or 'none'}")
    print(f"accepted in {accepted:.1f} s, all decided after {decided:.1f} s")
    tell_times([seconds for _, seconds in found if seconds is not None])
    tell_outcomes([row.label for row in rows], [status for status, _ in found])
    lost = [status for status, _ in found if status not in OUTCOMES[:3]]
    print(f"lost or undecided: {len(lost)}; accepted twice: {len(ids) - len(set(ids))}")
    return not lost and len(ids) == len(set(ids)) == len(rows)


def read_rows(path: Path) -> list[Row]:
    """The development blogs and a fixed sample of the Jigsaw development part."""
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(path, filters=[("split", "=", "dev")]).to_pylist()
    blogs = [_row(one, "spam") for one in table if one["source"] == BLOGS]
    jigsaw = [_row(one, "toxicity") for one in table if one["source"] == JIGSAW]
    rows = blogs + random.Random(0).sample(jigsaw, JIGSAW_COMMENTS)
    random.Random(1).shuffle(rows)
    return rows


def hand_in(service: Service, row: Row) -> str:
    """Post one comment, again until it is accepted: a frontend does the same."""
    key = f"{id(row)}"
    for _ in range(100):
        try:
            status, answer = service.call(
                "POST",
                "/api/v1/comments",
                service.keys["secret_key"],
                row.comment,
                **{"Idempotency-Key": key},
            )
        except OSError:
            status, answer = 0, None
        if status == 202:
            comment_id: str = answer["id"]
            return comment_id
        if 400 <= status < 500:
            raise SystemExit(f"a comment was refused: {answer['title']}")
        time.sleep(0.1)
    raise SystemExit("the service does not accept comments")


def fate(service: Service, comment_id: str) -> tuple[str, float | None]:
    """A comment's status, and the seconds from accepted to decided."""
    status, found = service.call("GET", f"/api/v1/comments/{comment_id}", service.keys["secret_key"])
    if status != 200 or found["decided_at"] is None:
        return "lost" if status != 200 else found["status"], None
    times = [datetime.fromisoformat(found[name]) for name in ("created_at", "decided_at")]
    return found["status"], (times[1] - times[0]).total_seconds()


def tell_times(seconds: list[float]) -> None:
    """Median, spread and tail of the time from accepted to decided."""
    milliseconds = sorted(1000 * value for value in seconds)

    def at(share: float) -> float:
        return milliseconds[int(share * (len(milliseconds) - 1))]

    print(
        f"accepted to decided: median {statistics.median(milliseconds):.0f} ms, p10 {at(0.1):.0f}, "
        f"p90 {at(0.9):.0f}, p99 {at(0.99):.0f}, max {at(1):.0f} ms"
    )


def tell_outcomes(labels: list[str], statuses: list[str]) -> None:
    """A table of outcome against label."""
    counts = Counter(zip(labels, statuses, strict=True))
    print(f"\n{'label':<24}{''.join(f'{name:>10}' for name in OUTCOMES)}{'all':>8}")
    for label in sorted(set(labels)):
        row = [counts[label, outcome] for outcome in OUTCOMES]
        print(f"{label:<24}{''.join(f'{count:>10}' for count in row)}{labels.count(label):>8}")
    print()


def _row(one: dict[str, Any], category: str) -> Row:
    label = {1: category, 0: f"no {category}"}.get(one[category], f"{category} unknown")
    author = {"name": (one["author"] or "").strip()[:200] or "Reader"}
    if one["author_url"]:
        author["url"] = one["author_url"][:2000]
    thread = {"id": f"{one['source']}-{one['site']}"[:500], "title": (one["thread_title"] or "")[:1000]}
    body = one["text"].replace("\0", "").strip()[:20_000]
    return Row(f"{one['source'][:14]}: {label}"[:24], {"thread": thread, "author": author, "body": body})


def _pending(service: Service) -> int:
    stats = service.call("GET", "/api/v1/stats", service.keys["moderator_key"])[1]
    waiting: int = stats["waiting"]
    return waiting


@contextmanager
def _nothing() -> Iterator[list[str]]:
    yield []


@contextmanager
def _faults(service: Service) -> Iterator[Counter[str]]:
    """Kill the worker and empty Redis again and again until the block ends."""
    done, injected = threading.Event(), Counter[str]()

    def break_things() -> None:
        while not done.wait(0.7):
            service.flush_redis()
            injected["FLUSHALL"] += 1
            try:
                service.kill("worker", "--queue", "scoring")
                injected["kill -9 worker"] += 1
            except AssertionError:
                continue  # It is just being started again.

    thread = threading.Thread(target=break_things)
    thread.start()
    try:
        yield injected
    finally:
        done.set()
        thread.join()


if __name__ == "__main__":
    main()
