"""Counting against rates: in a real Redis for everybody, and without it in this process."""

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis
from redis.exceptions import ConnectionError as RedisAway

from moderation.rates import Charge, Rates, seconds_until_free
from moderation.redis_connection import Breaker, connect
from moderation.setting_values import Rate
from tests.processes.running import wait_until
from workers.embedded_redis import running_redis

# So long that no window ends during a test.
WINDOW = 1_000_000
SLOW = Rate(3, WINDOW)


def open_rates(url: str) -> Rates:
    """Rates as the web process makes them, which tries Redis again at once."""
    client = connect(url, connect_seconds=0.5, answer_seconds=0.5)
    return Rates(client.connection_pool, Breaker(pause=0.0))


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    """The suite's Redis, empty."""
    with Redis.from_url(redis_url) as client:
        client.flushall()
        yield client


@pytest.fixture(params=["in Redis", "in this process"])
def rates(request: pytest.FixtureRequest, redis: Redis, redis_url: str) -> Rates:
    """Both places of counting must answer alike."""
    return open_rates(redis_url) if request.param == "in Redis" else Rates()


def charge(who: str = "site_1", cost: int = 1, name: str = "site", rate: Rate = SLOW) -> Charge:
    return Charge(name, rate, who, cost)


def test_what_the_rate_allows_passes_and_the_next_is_refused_until_there_is_room(rates: Rates) -> None:
    assert [rates.take(charge()) for _ in range(3)] == [None, None, None]
    refused = rates.take(charge())
    assert refused is not None
    assert (refused.charge, refused.left) == (charge(), 0)
    assert 0 < refused.seconds <= WINDOW


def test_each_is_counted_alone(rates: Rates) -> None:
    assert [rates.take(charge(), charge("site_2")) for _ in range(3)] == [None, None, None]
    assert rates.take(charge("site_3")) is None
    assert rates.take(charge(name="address")) is None
    assert rates.take(charge("site_2")) is not None


def test_a_batch_costs_what_it_holds(rates: Rates) -> None:
    assert rates.take(charge(cost=2)) is None
    refused = rates.take(charge(cost=2))
    assert refused is not None and refused.left == 1
    assert rates.take(charge()) is None


def test_a_batch_larger_than_the_rate_takes_it_whole_and_is_not_refused_for_ever(rates: Rates) -> None:
    assert rates.take(charge(cost=100)) is None
    assert rates.take(charge()) is not None


def test_what_follows_a_refused_charge_is_not_taken(rates: Rates) -> None:
    address = charge("192.0.2.0/24", name="address", rate=Rate(1, WINDOW))
    assert rates.take(address, charge()) is None
    for _ in range(10):
        refused = rates.take(address, charge())
        assert refused is not None and refused.charge == address
    assert [rates.take(charge()) for _ in range(2)] == [None, None]


def test_both_limits_cost_one_call_to_redis(redis: Redis, redis_url: str) -> None:
    rates = open_rates(redis_url)
    rates.take(charge(), charge("other"))
    redis.config_resetstat()
    rates.take(charge(), charge("other"))
    calls = {name: told["calls"] for name, told in redis.info("commandstats").items()}
    # What the script itself does is counted too, and this client asked for the figures.
    from_outside = calls.keys() - {"cmdstat_config|resetstat", "cmdstat_info"} - WITHIN_THE_SCRIPT
    assert {name: calls[name] for name in from_outside} == {"cmdstat_evalsha": 1}


WITHIN_THE_SCRIPT = {f"cmdstat_{name}" for name in ("get", "set", "pttl", "exists", "incrby", "rename")}


def test_all_processes_count_together(redis: Redis, redis_url: str) -> None:
    several = [open_rates(redis_url) for _ in range(3)]
    assert [rates.take(charge()) for rates in several] == [None, None, None]
    assert all(rates.take(charge()) is not None for rates in several)


def test_many_threads_get_no_more_than_the_rate(redis: Redis, redis_url: str) -> None:
    rates = open_rates(redis_url)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: rates.take(charge(rate=Rate(20, WINDOW))), range(60)))
    assert answers.count(None) == 20


def test_counters_are_forgotten_by_themselves(redis: Redis, redis_url: str) -> None:
    open_rates(redis_url).take(charge(), charge("other"))
    keys = list(redis.scan_iter("greenroom:rate:*"))
    assert len(keys) == 2
    assert all(0 < redis.ttl(key) <= 2 * WINDOW for key in keys)


def test_a_redis_that_stops_refuses_nobody_and_this_process_counts_until_it_is_back(tmp_path: Path) -> None:
    with running_redis(tmp_path) as url:
        rates = open_rates(url)
        assert [rates.take(charge()) for _ in range(3)] == [None, None, None]
        assert rates.take(charge()) is not None
    assert [rates.take(charge()) for _ in range(3)] == [None, None, None]
    assert rates.take(charge()) is not None
    with running_redis(tmp_path):
        # The counters of before are still in its file.
        assert rates.take(charge()) is not None
        assert rates.take(charge("another")) is None
        with Redis.from_url(url) as redis:
            assert len(list(redis.scan_iter("greenroom:rate:*another*"))) == 1


def test_a_redis_that_hangs_holds_up_one_request_and_no_other(tmp_path: Path) -> None:
    with running_redis(tmp_path) as url, Redis.from_url(url) as redis:
        rates = open_rates(url)
        rates.breaker.pause = 3600.0
        rates.take(charge())
        pid = int(redis.info("server")["process_id"])
        os.kill(pid, signal.SIGSTOP)
        try:
            assert rates.take(charge()) is None
            # From here on Redis is not even asked, or each of these would wait for its time-out.
            asked = [rates.take(charge(f"site_{n}")) for n in range(200)]
        finally:
            os.kill(pid, signal.SIGCONT)
    assert asked == [None] * 200


def test_a_redis_without_room_refuses_nobody(tmp_path: Path) -> None:
    with running_redis(tmp_path) as url, Redis.from_url(url) as redis:
        redis.config_set("maxmemory", "1")
        rates = open_rates(url)
        assert [rates.take(charge()) for _ in range(3)] == [None, None, None]
        assert rates.take(charge()) is not None


def test_a_redis_that_forgot_the_script_is_told_it_again(redis: Redis, redis_url: str) -> None:
    rates = open_rates(redis_url)
    rates.take(charge())
    redis.script_flush()
    assert rates.take(charge()) is None
    assert list(redis.scan_iter("greenroom:rate:*"))


def test_after_a_failure_one_thread_tries_and_the_others_go_on() -> None:
    breaker, trying, go_on = Breaker(pause=0.0), threading.Event(), threading.Event()

    def ask() -> str:
        trying.set()
        go_on.wait(30)
        raise RedisAway

    assert breaker.call(lambda: _fail(), lambda: "without") == "without"
    breaker.pause = 3600.0
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(breaker.call, ask, lambda: "without")
        assert trying.wait(30)
        assert breaker.call(lambda: "asked", lambda: "without") == "without"
        go_on.set()
        assert first.result() == "without"


def test_a_redis_that_is_back_is_asked_by_all_again() -> None:
    breaker = Breaker(pause=0.01)
    assert breaker.call(lambda: _fail(), lambda: "without") == "without"
    wait_until(lambda: breaker.call(lambda: "asked", lambda: "without") == "asked", pause=0.005)
    assert breaker.call(lambda: "asked", lambda: "without") == "asked"


def _fail() -> str:
    raise RedisAway


@given(
    amount=st.integers(1, 1000),
    taken=st.integers(1, 1000),
    before=st.integers(0, 1000),
    current=st.integers(0, 1000),
    age=st.floats(0, 59.999),
)
def test_the_seconds_told_are_enough_and_not_too_many(
    amount: int, taken: int, before: int, current: int, age: float
) -> None:
    wanted = Charge("site", Rate(amount, 60), "site_1", taken)
    before, current = min(before, amount), min(current, amount)
    seconds = seconds_until_free(wanted, before, 60 - age if before else 0.0, current, 120 - age)
    assert _passes(wanted, before, current, age + seconds + 0.001)
    if seconds > 0.01:
        assert not _passes(wanted, before, current, age + seconds - 0.01)


def _passes(wanted: Charge, before: int, current: int, age: float) -> bool:
    """What the library answers at this age of the current window."""
    if age >= 60:
        before, current, age = current, 0, age - 60
    weight = max(0.0, 60 - age) / 60
    return int(before * weight) + current + wanted.amount <= wanted.rate.amount
