"""How Redis is reached: one function for every process and form of REDIS_URL; and what if it is away.

Forms: `redis://`, `rediss://` (TLS), `unix://` as redis-py reads them, and for Sentinel the form that most
libraries took over: `redis+sentinel://user:password@host:26379,host2:26379/service/db`, or `rediss+sentinel://`.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from redis import Redis
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.exceptions import RedisError
from redis.retry import Retry
from redis.sentinel import Sentinel, SentinelManagedConnection, SentinelManagedSSLConnection

from moderation.setting_values import is_sentinel, sentinel_parts

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")

# After a failure Redis is left alone for a moment, so that each request does not wait for it again.
PAUSE_SECONDS = 1.0
# Of a request, which must not wait for a lost Redis; and of a worker, which has nothing better to do.
REQUEST_SECONDS, WORKER_SECONDS = 0.5, 5.0


def connect(url: str, *, connect_seconds: float, answer_seconds: float | None = None) -> Redis:
    """A client that connects on first use; with Sentinel, to whoever is master at that moment."""
    timeouts: dict[str, Any] = {"socket_connect_timeout": connect_seconds}
    if answer_seconds is not None:
        timeouts["socket_timeout"] = answer_seconds
    if is_sentinel(url):
        return _through_sentinel(url, timeouts)
    return Redis.from_url(url, **timeouts)


def _through_sentinel(url: str, timeouts: dict[str, Any]) -> Redis:
    parts = sentinel_parts(url)
    # redis-py knows no such URL, but it reads the options of an ordinary one.
    plain = f"{parts.scheme}://{parts.credentials}master/{parts.database}?{parts.query}"
    options = parse_url(plain)  # type: ignore[no-untyped-call]
    for name in ("host", "port", "connection_class"):
        options.pop(name, None)
    of_sentinels = {name: options.pop(f"sentinel_{name}", None) for name in ("username", "password")}
    encryption = {name: value for name, value in options.items() if name.startswith("ssl_")}
    encryption["ssl"] = parts.scheme == "rediss"
    options["connection_class"] = MasterTlsConnection if encryption["ssl"] else MasterConnection
    # Asked one after another: the next one is there for a sentinel that is away, so none is tried twice.
    once: dict[str, Any] = {"retry": Retry(NoBackoff(), 0)}
    # Answers of a sentinel are never waited for without end, whatever a worker does with its master.
    patience = {"socket_timeout": timeouts["socket_connect_timeout"], **timeouts}
    asking = {**of_sentinels, **encryption, **patience, **once}
    sentinel = Sentinel(parts.hosts, sentinel_kwargs=asking)  # type: ignore[no-untyped-call]
    master: Redis = sentinel.master_for(parts.service, **(timeouts | options | once))  # type: ignore[no-untyped-call]
    return master


class MasterConnection(SentinelManagedConnection):
    """redis-py's own, which would keep a connection whose answer was interrupted, as when a worker stops.

    The next command on it would wait for that answer, or take it for its own.
    """

    def read_response(self, *args: Any, **kwargs: Any) -> Any:
        return super().read_response(*args, **({"disconnect_on_error": True} | kwargs))


class MasterTlsConnection(MasterConnection, SentinelManagedSSLConnection):
    """The same with TLS."""


@dataclass
class Breaker:
    """Keeps requests from waiting for a Redis that failed: after a pause one tries, the others go on."""

    pause: float = PAUSE_SECONDS
    _closed_until: float = field(default=0.0)
    _failed: bool = field(default=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def call(self, ask: Callable[[], Answer], otherwise: Callable[[], Answer]) -> Answer:
        """The answer of Redis, or of `otherwise` when Redis is away or was so a moment ago."""
        if not self._may_try():
            return otherwise()
        try:
            answer = ask()
        except (RedisError, OSError) as error:
            self._note_failure(error)
            return otherwise()
        self._failed = False
        self._closed_until = 0.0
        return answer

    def _may_try(self) -> bool:
        if not self._failed:
            return True
        with self._lock:
            if time.monotonic() < self._closed_until:
                return False
            self._closed_until = time.monotonic() + self.pause
            return True

    def _note_failure(self, error: Exception) -> None:
        # The error's own text may name the URL and with it a password.
        log.warning("Redis cannot be used (%s); going on without it", type(error).__name__)
        self._closed_until = time.monotonic() + self.pause
        self._failed = True
