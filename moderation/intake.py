"""Taking comments in, those of concurrent requests together: one commit, one wake-up for all of them.

A commit that waits for the disk costs milliseconds whatever it holds. So the first request stores, and those
that come meanwhile gather for the next turn; an answer is given only after the commit that holds its comment.
Fewer than the commit before held? Then the others are on their way, and the turn waits a moment for them.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from moderation.database import Database, Unavailable
from moderation.jobs import Jobs
from moderation.services.accept import Accepted, Entry, Idempotency, Outcome, accept_all, accept_request
from moderation.services.pending import count_waiting
from moderation.waker import Waker

# The most comments of one commit, so that none of them waits long for the others.
MOST_TOGETHER = 64
# About what it takes the requests that were just answered to come again.
GATHER_SECONDS = 0.001
COUNT_SECONDS = 1.0
MOST_THREADS = 20_000


class Overloaded(Exception):
    """More comments wait to be scored than this installation allows; nothing was stored."""


@dataclass
class _Place:
    """A request's place in the line; released when it is settled or when it is its turn to store."""

    entry: Entry
    turn: threading.Lock
    outcome: Outcome | Exception | None = None


@dataclass
class Intake:
    """The line of requests of this process that hand in comments."""

    database: Database
    jobs: Jobs
    max_waiting: int
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _line: list[_Place] = field(default_factory=list)
    _storing: bool = False
    _last_together: int = 0
    _threads: dict[tuple[str, str], str] = field(default_factory=dict)
    _counted: tuple[float, int] = (0.0, 0)
    _waker: Waker = field(init=False)

    def __post_init__(self) -> None:
        self._waker = Waker(self.jobs)

    def accept(self, entry: Entry) -> Accepted:
        """Store a comment with whatever else waits for it; raises Overloaded and what `accept` raises."""
        self.refuse_overload()
        place = self._join(entry)
        # Either the turn to store, or woken by the one who did.
        place.turn.acquire()
        if place.outcome is None:
            self._store_line()
        return _told(place.outcome)

    def accept_batch(self, entries: Sequence[Entry], idempotency: Idempotency | None = None) -> list[Outcome]:
        """Store the comments of one request in one commit; raises Overloaded and KeyReused."""
        self.refuse_overload()
        with self.database.write() as session:
            outcomes = accept_request(session, entries, idempotency, self._threads)
        self._remember_threads(entries, outcomes)
        self._waker.wake()
        return outcomes

    def refuse_overload(self) -> None:
        """Raise Overloaded when too many wait; counted once in a while, so the limit is not exact."""
        at, waiting = self._counted
        if time.monotonic() - at >= COUNT_SECONDS:
            # Set first: one request counts, the others go on with the last figure.
            self._counted = (time.monotonic(), waiting)
            with self.database.read() as session:
                waiting = count_waiting(session, self.max_waiting)
            self._counted = (time.monotonic(), waiting)
        if waiting >= self.max_waiting:
            raise Overloaded

    def _join(self, entry: Entry) -> _Place:
        place = _Place(entry, threading.Lock())
        with self._guard:
            if self._storing:
                place.turn.acquire()
                self._line.append(place)
            else:
                self._storing = True
                self._line.append(place)
        return place

    def _store_line(self) -> None:
        # Whoever comes alone finds no larger commit before, and does not wait.
        if len(self._line) < self._last_together:
            time.sleep(GATHER_SECONDS)
        with self._guard:
            places, self._line = self._line[:MOST_TOGETHER], self._line[MOST_TOGETHER:]
            self._last_together = len(places)
        try:
            self._settle(places)
        finally:
            self._pass_on()
            self._tell(places)

    def _tell(self, places: list[_Place]) -> None:
        try:
            # After the commit: a worker woken earlier would find nothing.
            if any(isinstance(place.outcome, Accepted) for place in places):
                self._waker.wake()
        finally:
            for place in places[1:]:
                place.outcome = place.outcome or RuntimeError("the thread that stored was ended")
                place.turn.release()

    def _pass_on(self) -> None:
        """Let the next in line store; it takes everybody behind it along."""
        with self._guard:
            if self._line:
                self._line[0].turn.release()
            else:
                self._storing = False

    def _settle(self, places: list[_Place]) -> None:
        try:
            self._store(places)
        except Unavailable as error:
            for place in places:
                place.outcome = error
        except Exception as error:
            if len(places) == 1:
                places[0].outcome = error
                return
            # Something is wrong with one of them; its neighbours must not suffer from it.
            for place in places:
                self._settle([place])

    def _store(self, places: list[_Place]) -> None:
        entries = [place.entry for place in places]
        try:
            with self.database.write() as session:
                outcomes = accept_all(session, entries, self._threads)
        except Exception:
            # A thread remembered wrongly (a database restored from a backup) must not fail for good.
            self._threads = {}
            raise
        self._remember_threads(entries, outcomes)
        for place, outcome in zip(places, outcomes, strict=True):
            place.outcome = outcome

    def _remember_threads(self, entries: Sequence[Entry], outcomes: Sequence[Outcome]) -> None:
        """Only after the commit. A thread is never deleted and never gets another id."""
        if len(self._threads) > MOST_THREADS:
            self._threads = {}
        for entry, outcome in zip(entries, outcomes, strict=True):
            if isinstance(outcome, Accepted) and outcome.thread_id is not None:
                self._threads[entry.site_id, entry.new.thread_key] = outcome.thread_id


def _told(outcome: Outcome | Exception | None) -> Accepted:
    if isinstance(outcome, Accepted):
        return outcome
    raise outcome if outcome is not None else RuntimeError("a comment was neither stored nor refused")
