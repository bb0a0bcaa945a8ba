"""Redis dies, forgets, is full or takes no writes: comments come in all the same, and are decided later"""

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.apart import DRAINED_SECONDS, Apart
from tests.processes.running import wait_until

pytestmark = pytest.mark.processes


@pytest.mark.parametrize("keeps_its_file", [True, False], ids=["with its file", "without its file"])
def test_it_is_killed(service: Apart, keeps_its_file: bool) -> None:
    service.start("worker")
    service.take_in(5, f"before {keeps_its_file}")
    service.kill("redis")
    if not keeps_its_file:
        shutil.rmtree(service.home / "redis")
    service.take_in(10, f"without redis {keeps_its_file}")
    service.start("redis")
    keep_a_worker_until_decided(service)
    service.assert_recovers()


def test_it_forgets_everything_again_and_again_under_load(service: Apart) -> None:
    service.start("worker")
    with ThreadPoolExecutor(1) as pool, service.redis as redis:
        posting = pool.submit(service.take_in, 120, "forgotten")
        while not posting.done():
            redis.flushall()
        posting.result()
    service.assert_recovers()


def test_it_is_full(service: Apart) -> None:
    service.start("worker")
    with service.redis as redis:
        redis.config_set("maxmemory", 1)
        try:
            service.take_in(10, "full")
        finally:
            redis.config_set("maxmemory", 256 * 2**20)
    keep_a_worker_until_decided(service)
    service.assert_recovers()


def test_it_is_read_only(service: Apart) -> None:
    service.start("worker")
    with service.redis as redis:
        # A replica of a master that nobody knows: it answers, and refuses every write.
        redis.config_set("replica-serve-stale-data", "yes")
        redis.replicaof("127.0.0.1", "1")
        try:
            service.take_in(10, "read-only")
        finally:
            redis.replicaof("NO", "ONE")
    keep_a_worker_until_decided(service)
    service.assert_recovers()


def keep_a_worker_until_decided(service: Apart) -> None:
    """Start the worker again when it ends: what `greenroom up` and every supervisor does."""

    def decided() -> bool:
        if not service.alive("worker"):
            service.start("worker")
        return service.pending() == 0

    wait_until(decided, DRAINED_SECONDS, pause=0.5)
