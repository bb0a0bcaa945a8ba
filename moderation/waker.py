"""Waking a worker once for all comments that were stored while another was being woken for."""

import atexit
import threading
from dataclasses import dataclass, field

from moderation.jobs import Jobs


@dataclass
class Waker:
    """Asks Redis to wake a worker, one at a time.

    That takes about as long as storing a comment. Who comes while another one asks leaves it to a thread,
    which asks again when that is done: once, however many came.
    """

    jobs: Jobs
    _asking: threading.Lock = field(default_factory=threading.Lock)
    _again: threading.Event = field(default_factory=threading.Event)
    _starting: threading.Lock = field(default_factory=threading.Lock)
    _thread: threading.Thread | None = None

    def wake(self) -> None:
        """See to it that a worker is woken for what was committed before this call."""
        if self._asking.acquire(blocking=False):
            try:
                self.jobs.wake_scoring()
            finally:
                self._asking.release()
            return
        self._again.set()
        self._start()

    def ask_if_wanted(self) -> None:
        """Ask now what was left to the thread."""
        with self._asking:
            if self._again.is_set():
                # First: what is committed from now on asks for itself.
                self._again.clear()
                self.jobs.wake_scoring()

    def _start(self) -> None:
        with self._starting:
            if self._thread is not None and self._thread.is_alive():
                return
            if self._thread is None:
                # A process that ends in good order forgets nobody; after another end the sweeper finds them.
                atexit.register(self.ask_if_wanted)
            self._thread = threading.Thread(target=self._ask_on, name="waker", daemon=True)
            self._thread.start()

    def _ask_on(self) -> None:
        while self._again.wait():
            self.ask_if_wanted()
