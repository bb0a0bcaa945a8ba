"""Where the figures of many processes meet: files under HOME, and what becomes of those of the dead.

prometheus_client keeps each process's counters in mapped files, so that they outlive a `kill -9`, but it
never clears files away. Here every process holds a lock that the kernel ends with it; each new process adds
the figures of the dead to one file and deletes theirs. So there are never more files than processes, and no
counter goes down. Steps that a crash could part are decided by one rename.
"""

import contextlib
import fcntl
import json
import os
import secrets
import struct
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client.mmap_dict import MmapedDict

# Bytes of each file, written in full when it is made: a mapped page that finds no room on the disk later
# would end the process. There are more histograms, and each has a row for every bucket.
SIZES = {"counter": 1 << 18, "histogram": 1 << 20}
# A stopped process could hold the turn for ever; the others rather go on uncounted.
TURN_SECONDS = 2.0
# After a failure this long passes before files are tried again, so that a full disk slows nobody.
PAUSE_SECONDS = 10.0
ENDED = "ended"
_read: Any = MmapedDict.read_all_values_from_file


@dataclass
class Own:
    """The files of this process; a forked child finds another pid here and makes its own."""

    folder: Path
    pid: int = 0
    name: str = ""
    lock: int = -1
    retry_at: float = 0.0

    def identity(self) -> str:
        """The name that this process's files carry; raises OSError when there can be none."""
        if self.pid != os.getpid():
            self._begin()
        return self.name

    def _begin(self) -> None:
        if time.monotonic() < self.retry_at:
            raise BlockingIOError
        try:
            name, lock = begin(self.folder)
        except OSError:
            self.retry_at = time.monotonic() + PAUSE_SECONDS
            raise
        if self.lock >= 0:
            # The parent's, inherited; it holds its own.
            os.close(self.lock)
        self.pid, self.name, self.lock = os.getpid(), name, lock


def begin(folder: Path) -> tuple[str, int]:
    """Clear the dead away and make files for a process; gives their name and the lock that marks it alive."""
    folder.mkdir(parents=True, exist_ok=True)
    with _turn(folder, fcntl.LOCK_EX):
        _bury(folder)
        name = secrets.token_hex(8)
        try:
            for kind, size in SIZES.items():
                _allocate(folder / f"{kind}_{name}.db", size)
            lock = os.open(folder / f"{name}.lock", os.O_CREAT | os.O_RDWR, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            _delete(folder, [name])
            raise
    return name, lock


@contextlib.contextmanager
def files_to_read(folder: Path) -> Iterator[list[str]]:
    """Every readable file, which nobody merges or deletes during the block."""
    with _turn(folder, fcntl.LOCK_SH):
        yield [str(path) for path in _counted(folder) if _rows(path) is not None]


def _bury(folder: Path) -> None:
    """Add the figures of ended processes to the one file of the dead, and delete their files."""
    generation, buried = _ended(folder)
    dead = {name for name in _names(folder) if not _is_alive(folder, name)}
    if new := dead - buried:
        paths = [path for path in _counted(folder) if _name(path) in new or _name(path).startswith(ENDED)]
        for kind in SIZES:
            sums = _sums(path for path in paths if path.name.startswith(kind))
            _write(folder / f"{kind}_{ENDED}-{generation + 1}.db", SIZES[kind], sums)
        _point(folder, generation + 1, dead)
        generation += 1
    # From here on those files count no more, so a crash may leave any of them.
    _delete(folder, dead)
    for path in folder.glob(f"*_{ENDED}-*.db"):
        if _name(path) != f"{ENDED}-{generation}":
            path.unlink(missing_ok=True)


def _counted(folder: Path) -> list[Path]:
    generation, buried = _ended(folder)
    left_out = {name for name in map(_name, folder.glob("*.db")) if name.startswith(ENDED)} | buried
    left_out.discard(f"{ENDED}-{generation}")
    return [path for path in sorted(folder.glob("*_*.db")) if _name(path) not in left_out]


def _ended(folder: Path) -> tuple[int, set[str]]:
    """Which file of the dead counts, and whose figures it holds: those files must not count again."""
    try:
        told = json.loads((folder / f"{ENDED}.json").read_text(encoding="utf-8"))
        return int(told["generation"]), set(told["names"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0, set()


def _point(folder: Path, generation: int, names: Iterable[str]) -> None:
    draft = folder / f"{ENDED}.json.new"
    draft.write_text(json.dumps({"generation": generation, "names": sorted(names)}), encoding="utf-8")
    draft.replace(folder / f"{ENDED}.json")


def _sums(paths: Iterable[Path]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for path in paths:
        for key, value in _rows(path) or ():
            sums[key] += value  # type: ignore[assignment]
    return sums


def _rows(path: Path) -> list[tuple[str, float]] | None:
    """The rows of a file; None when a crash of the machine left it unreadable."""
    try:
        rows = [(key, value) for key, value, *_ in _read(str(path))]
        return rows if all(isinstance(json.loads(key), list) for key, _ in rows) else None
    except (OSError, RuntimeError, ValueError, struct.error):
        return None


def _write(path: Path, size: int, sums: Counter[str]) -> None:
    path.unlink(missing_ok=True)
    _allocate(path, max(size, 2 * sum(len(key.encode()) + 32 for key in sums)))
    rows: Any = MmapedDict(str(path))  # type: ignore[no-untyped-call]
    for key, value in sums.items():
        rows.write_value(key, value, 0.0)
    rows.close()


def _allocate(path: Path, size: int) -> None:
    with path.open("xb") as file:
        file.write(bytes(size))


def _delete(folder: Path, names: Iterable[str]) -> None:
    for name in names:
        for path in (*folder.glob(f"*_{name}.db"), folder / f"{name}.lock"):
            path.unlink(missing_ok=True)


def _names(folder: Path) -> set[str]:
    names = {_name(path) for path in folder.glob("*_*.db")} | {path.stem for path in folder.glob("*.lock")}
    return {name for name in names if not name.startswith(ENDED)}


def _name(path: Path) -> str:
    return path.stem.partition("_")[2]


def _is_alive(folder: Path, name: str) -> bool:
    """Whether the process still holds its lock; asked under the turn, so none is just being born."""
    try:
        with (folder / f"{name}.lock").open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


@contextlib.contextmanager
def _turn(folder: Path, how: int) -> Iterator[None]:
    """Readers together, or one who changes files; raises TimeoutError, an OSError, when it takes too long."""
    deadline = time.monotonic() + TURN_SECONDS
    with (folder / "turn").open("a") as file:
        while True:
            try:
                fcntl.flock(file, how | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TimeoutError from None
                time.sleep(0.01)
        yield
