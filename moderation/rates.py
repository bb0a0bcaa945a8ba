"""How often something may happen: counted in Redis for all processes, or in this one while Redis is away.

The counting is that of `limits`: a sliding window of two counters, so that no burst of twice the rate fits
around the turn of a minute.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from redis import ConnectionPool

from moderation.redis_connection import Breaker
from moderation.setting_values import Rate

KEY_PREFIX = "greenroom:rate"
# The library's script takes from one window. Wrapped, one call takes from several and stops at the first that
# is used up: a round trip costs more than all the counting.
TAKE_ALL = f"""
local function take(KEYS, ARGV)
{RedisStorage.SCRIPT_ACQUIRE_SLIDING_WINDOW.decode()}
end
for i = 1, #ARGV / 3 do
    if not take({{KEYS[2 * i - 1], KEYS[2 * i]}}, {{ARGV[3 * i - 2], ARGV[3 * i - 1], ARGV[3 * i]}}) then
        return i
    end
end
return 0
"""


class Charge(NamedTuple):
    """So much of what a rate allows to somebody."""

    name: str
    rate: Rate
    who: str
    cost: int = 1

    @property
    def window(self) -> RateLimitItem:
        """The rate as the library wants it."""
        return RateLimitItemPerSecond(self.rate.amount, self.rate.seconds)

    @property
    def key(self) -> str:
        """What the library counts under."""
        return self.window.key_for(self.name, self.who)

    @property
    def amount(self) -> int:
        """What is taken: at most the whole of a window, or a large batch could never pass."""
        return min(self.cost, self.rate.amount)


class Refusal(NamedTuple):
    """The charge that found too little left, how much that is, and the seconds until there is enough."""

    charge: Charge
    left: int
    seconds: float


class RedisWindows(RedisStorage):
    """The library's storage, with one call for several windows."""

    def __init__(self, pool: ConnectionPool) -> None:
        # The URL only says which client library is meant.
        super().__init__("redis://", connection_pool=pool, key_prefix=KEY_PREFIX)
        self._take_all = self.get_connection().register_script(TAKE_ALL.encode())

    def take(self, charges: Sequence[Charge]) -> Charge | None:
        """Take all charges in their order; gives the one that was refused, after which none is taken."""
        keys: list[str] = []
        numbers: list[int] = []
        for charge in charges:
            keys.append(self.prefixed_key(self._previous_window_key(charge.key)))
            keys.append(self.prefixed_key(self._current_window_key(charge.key)))
            numbers += [charge.rate.amount, charge.rate.seconds, charge.amount]
        refused = int(self._take_all(keys, numbers))
        return charges[refused - 1] if refused else None


@dataclass
class Rates:
    """The counters of this service; without a connection each process counts alone."""

    pool: ConnectionPool | None = None
    breaker: Breaker = field(default_factory=Breaker)

    def take(self, *charges: Charge) -> Refusal | None:
        """Take every charge, or say which was refused; charges after that one are not taken."""
        if not charges:
            return None
        if self.pool is None:
            return self._take_here(charges)
        return self.breaker.call(lambda: self._take_in_redis(charges), lambda: self._take_here(charges))

    def _take_in_redis(self, charges: Sequence[Charge]) -> Refusal | None:
        refused = self._redis.take(charges)
        return None if refused is None else _refusal(self._redis, refused)

    def _take_here(self, charges: Sequence[Charge]) -> Refusal | None:
        limiter = SlidingWindowCounterRateLimiter(self._memory)
        for charge in charges:
            if not limiter.hit(charge.window, charge.name, charge.who, cost=charge.amount):
                return _refusal(self._memory, charge)
        return None

    # Both made on first use: the second starts a thread, which must not happen before the web server forks.
    @cached_property
    def _redis(self) -> RedisWindows:
        assert self.pool is not None  # noqa: S101 - for the type checker
        return RedisWindows(self.pool)

    @cached_property
    def _memory(self) -> MemoryStorage:
        return MemoryStorage()


def _refusal(storage: RedisStorage | MemoryStorage, charge: Charge) -> Refusal:
    window = storage.get_sliding_window(charge.key, charge.rate.seconds)
    used = window[0] * window[1] / charge.rate.seconds + window[2]
    return Refusal(charge, max(0, charge.rate.amount - int(used)), seconds_until_free(charge, *window))


def seconds_until_free(
    charge: Charge, before: int, before_left: float, current: int, current_left: float
) -> float:
    """When the charge would pass, if nobody else takes anything.

    The count of the window before fades to nothing; then the current count becomes the one that fades.
    Times are seconds until each counter is forgotten; the current one is kept for a second window.

    >>> charge = Charge("address", Rate(60, 60), "192.0.2.0/24")
    >>> seconds_until_free(charge, before=60, before_left=50.0, current=30, current_left=110.0)
    20.0
    >>> seconds_until_free(charge, before=0, before_left=0.0, current=60, current_left=100.0)
    40.0
    """
    window, free = charge.rate.seconds, charge.rate.amount - charge.amount
    # The library rounds down what has faded in part, so just below one more is free already.
    if free >= current:
        fade = before_left - (free + 1 - current) * window / before if before else 0.0
        return max(0.0, fade)
    return max(0.0, current_left - window) + window * (1 - (free + 1) / current)
