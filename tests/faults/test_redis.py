"""Redis dies, forgets, is full or takes no writes: comments come in all the same, and are decided later"""

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis.exceptions import OutOfMemoryError, ReadOnlyError

from tests.faults.apart import Apart

pytestmark = pytest.mark.processes


@pytest.mark.parametrize("keeps_its_file", [True, False], ids=["with its file", "without its file"])
def test_it_is_killed(service: Apart, keeps_its_file: bool) -> None:
    service.start("worker")
    service.take_in(5, f"before {keeps_its_file}")
    service.wait_until_idle()
    service.kill("redis")
    if not keeps_its_file:
        shutil.rmtree(service.home / "redis")
    service.take_in(10, f"without redis {keeps_its_file}")
    service.start("redis")
    service.keep_a_worker_until_decided()
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
    service.wait_until_idle()
    with service.redis as redis:
        before = redis.config_get("maxmemory")["maxmemory"]
        redis.config_set("maxmemory", 1)
        try:
            with pytest.raises(OutOfMemoryError):
                redis.set("any", "thing")
            service.take_in(10, "full")
        finally:
            redis.config_set("maxmemory", before)
    service.keep_a_worker_until_decided()
    service.assert_recovers()


def test_it_is_read_only(service: Apart) -> None:
    service.start("worker")
    service.wait_until_idle()
    with service.redis as redis:
        # A replica of a master that nobody knows: it answers, and refuses every write.
        redis.replicaof("127.0.0.1", "1")
        try:
            with pytest.raises(ReadOnlyError):
                redis.set("any", "thing")
            service.take_in(10, "read-only")
        finally:
            redis.replicaof("NO", "ONE")
    service.keep_a_worker_until_decided()
    service.assert_recovers()
