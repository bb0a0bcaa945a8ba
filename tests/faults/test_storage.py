"""The database cannot be written: locked by a stranger, or no room on the disk"""

import contextlib
import resource
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.apart import Answer, Apart, taken_apart
from workers.guardian import session_members

pytestmark = pytest.mark.processes


def test_sqlite_is_locked_for_longer_than_a_writer_waits(service: Apart) -> None:
    service.take_in(5, "before the lock")
    with write_lock(service.home / "greenroom.db"):
        # Neither the web server nor the worker can write.
        service.start("worker")
        refused = service.post_many(4, "locked")
        assert_clean_refusals(refused)
        assert service.call("GET", "/healthz").status == 200
    service.take_in(5, "after the lock")
    service.assert_recovers()


def test_the_lock_comes_while_a_batch_is_scored(service: Apart) -> None:
    service.arm("worker.took", "wait")
    service.start("worker")
    service.take_in(5, "scored under a lock")
    service.wait_for("worker.took")
    with write_lock(service.home / "greenroom.db"):
        service.let_go("worker.took")
        assert_clean_refusals([service.post("one more")])
    service.assert_recovers()


def test_the_files_of_the_web_server_may_grow_no_more(service: Apart) -> None:
    """As under a quota: only the web server is limited, so the workers go on."""
    service.start("worker")
    service.take_in(5, "before the limit")
    pids = session_members(service.running["web"].pid)
    set_limit(pids, 1)
    try:
        assert_clean_refusals(service.post_many(4, "limited"))
    finally:
        set_limit(pids, resource.RLIM_INFINITY)
    service.take_in(5, "after the limit")
    service.assert_recovers()


def test_the_disk_is_full(migrated_sqlite: Path, tmp_path: Path) -> None:
    """Database, Redis' file and everything else of the service on one small disk."""
    with small_disk(tmp_path / "home") as home:
        shutil.copy(migrated_sqlite, home / "greenroom.db")
        with taken_apart(home, f"sqlite:///{home / 'greenroom.db'}") as service:
            service.start_missing()
            service.take_in(5, "before")
            service.arm("worker.took", "wait")
            service.start("worker")
            service.wait_for("worker.took")
            fill(home)
            # The worker has scored what it cannot record, and the web server cannot store.
            service.let_go("worker.took")
            refused = until_refused(service)
            assert refused.is_clean_refusal(), refused
            assert {service.standing(one)[0] for one in service.accepted} == {"pending"}
            assert service.call("GET", "/healthz").status == 200
            (home / "ballast").unlink()
            service.take_in(5, "after")
            service.keep_a_worker_until_decided()
            service.assert_recovers()


@contextlib.contextmanager
def write_lock(path: Path) -> Iterator[None]:
    """What a backup tool or a person with a console does: it knows nothing of the service's own queue."""
    connection = sqlite3.connect(path, isolation_level=None)
    with contextlib.closing(connection):
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of a few megabytes."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this user may not mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> None:
    """Leave no byte on the disk."""
    with contextlib.suppress(OSError), (folder / "ballast").open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)


def until_refused(service: Apart) -> Answer:
    """Post until there is no room: a page of a file may have some left."""
    for n in range(50):
        answer = service.post(f"number {n}" + " of many words" * 200)
        if answer.status != 202:
            return answer
    raise AssertionError("never refused")


def set_limit(pids: list[int], largest: int) -> None:
    for pid in pids:
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (largest, hard))


def assert_clean_refusals(answers: list[Answer]) -> None:
    assert all(answer.is_clean_refusal() for answer in answers), answers
