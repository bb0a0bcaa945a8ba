"""What the kernel knows of processes: memory and processor time, by what each of them does (Linux, /proc)."""

import os
import signal
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TypeVar

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
# A word of its command line says what a process of the service does.
KINDS = {
    "web": "gunicorn",
    "worker": "worker --queue scoring",
    "sweeper": " sweep",
    "redis": "valkey-server",
}
Found = TypeVar("Found")


@dataclass(frozen=True)
class Seen:
    """A process at one moment; its processor time includes its children that have ended."""

    pid: int
    kind: str
    resident: int
    cpu: float
    age: float


def end_in_order() -> None:
    """Let SIGTERM end this program as Ctrl-C does: with everything stopped that it started."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def below(root: int) -> list[Seen]:
    """This process and every one that it, or a child of it, has started."""
    stats = dict(_stats())
    children: dict[int, list[int]] = defaultdict(list)
    for pid, fields in stats.items():
        children[int(fields[1])].append(pid)
    found, to_do = [], [root]
    while to_do:
        pid = to_do.pop()
        to_do += children[pid]
        if pid in stats:
            found.append(_seen(pid, stats[pid]))
    return found


def by_kind(processes: list[Seen]) -> dict[str, list[Seen]]:
    """The processes of each kind, those of no kind left out."""
    return {kind: [one for one in processes if one.kind == kind] for kind in KINDS}


def largest(processes: list[Seen]) -> dict[str, int]:
    """The resident memory of the largest process of each kind, in bytes."""
    kinds = by_kind(processes)
    return {kind: max(one.resident for one in found) for kind, found in kinds.items() if found}


@contextmanager
def watching(look: Callable[[], Found], seconds: float = 1.0) -> Iterator[list[tuple[float, Found]]]:
    """Look again and again during the block; gives what was seen, each with its time.monotonic()."""
    seen: list[tuple[float, Found]] = []
    done = threading.Event()

    def watch() -> None:
        while not done.wait(seconds):
            seen.append((monotonic(), look()))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def _stats() -> Iterator[tuple[int, list[str]]]:
    for folder in Path("/proc").iterdir():
        # A process may end while it is looked at.
        with suppress(OSError):
            if folder.name.isdigit():
                # The name in brackets may hold spaces; what follows it is numbers.
                yield int(folder.name), (folder / "stat").read_text().rpartition(")")[2].split()


def _seen(pid: int, fields: list[str]) -> Seen:
    command = ""
    with suppress(OSError):
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    kind = next((kind for kind, words in KINDS.items() if words in command), "")
    cpu = sum(int(value) for value in fields[11:15]) / _TICKS
    age = float(Path("/proc/uptime").read_text().split()[0]) - int(fields[19]) / _TICKS
    return Seen(pid, kind, int(fields[21]) * _PAGE, cpu, age)
