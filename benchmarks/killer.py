"""Kill -9 of a process taken at random, again and again, while the supervisor puts things right."""

import contextlib
import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from benchmarks.processes import below, by_kind

VICTIMS = ("web", "worker", "sweeper", "redis")


@contextmanager
def killing(root: int, seconds: float, seed: int, kinds: Sequence[str] = VICTIMS) -> Iterator[Counter[str]]:
    """End a random process below `root` every so many seconds until the block ends; how many of each kind."""
    done, killed, chance = threading.Event(), Counter[str](), random.Random(seed)

    def kill() -> None:
        while not done.wait(seconds):
            # The kind first, so that a web server's two processes do not double its share.
            kind = chance.choice(kinds)
            found = [one.pid for one in by_kind(below(root))[kind]]
            # There may be none just now, or it ends by itself.
            if found:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(chance.choice(found), signal.SIGKILL)
                    killed[kind] += 1

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        done.set()
        thread.join()
