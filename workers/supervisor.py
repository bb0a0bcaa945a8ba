"""Run several processes as one: start them, restart what dies, stop them in order, leave nothing behind.

Own code, because honcho ends everything when one process dies, and supervisord and circus bring a daemon
with its own configuration and RPC for what is this one file.
"""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from workers import guardian

log = logging.getLogger("greenroom.up")

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0
# A process that lived this long has recovered: its next death starts again at the first pause.
STEADY_SECONDS = 10.0
STOP_SECONDS = 10.0
# What a process gets after a second Ctrl-C: enough for Redis to write its file.
HURRY_SECONDS = 1.0
TICK_SECONDS = 0.05


@dataclass
class Process:
    """One process to keep running; those of a lower `stage` are stopped first."""

    name: str
    command: Sequence[str]
    stage: int = 0
    running: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE
    due: float = 0.0

    @property
    def is_alive(self) -> bool:
        return self.running is not None and self.running.poll() is None


@dataclass
class StopRequest:
    """How often the process was asked to stop: once is a wish, twice is impatience."""

    times: int = 0


@dataclass
class Supervisor:
    """What runs, who guards it, and whether it is to stop."""

    stop: StopRequest
    environment: Mapping[str, str]
    held_open: tuple[int, ...] = ()
    processes: list[Process] = field(default_factory=list)
    guard: subprocess.Popen[bytes] | None = None


@contextlib.contextmanager
def supervisor(environment: Mapping[str, str], held_open: Sequence[int] = ()) -> Iterator[Supervisor]:
    """A supervisor that has stopped everything at the end of the block, also after an exception.

    The guardian keeps the descriptors `held_open` (a lock's) until nothing is left running.
    """
    with _stop_request() as stop:
        us = Supervisor(stop, environment, tuple(held_open))
        _start_guardian(us)
        try:
            yield us
        finally:
            stop_all(us)
            _dismiss_guardian(us)


def start(us: Supervisor, process: Process) -> None:
    """Start a process in a session of its own: the terminal's Ctrl-C reaches the supervisor alone."""
    if process not in us.processes:
        us.processes.append(process)
    process.running = subprocess.Popen(  # noqa: S603 (our own words, no shell)
        process.command,
        env=us.environment,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        # In the child, before its program: it holds the pipe open until it is on the guardian's list, so
        # that no kill -9 falls between being born and being known. Safe, for there are no threads here.
        preexec_fn=lambda: _tell_guardian(us, "+", os.getpid()),
    )
    process.started = time.monotonic()


def keep_running(us: Supervisor, on_tick: Callable[[], None] = lambda: None) -> None:
    """Restart whatever dies until a stop is asked for."""
    while not us.stop.times:
        for process in us.processes:
            _look_after(us, process)
        if us.guard is None or us.guard.poll() is not None:
            _start_guardian(us)
        on_tick()
        time.sleep(TICK_SECONDS)


def stop_all(us: Supervisor) -> None:
    """Stop one stage after the other; a stage gets SIGTERM, a grace, and then SIGKILL."""
    for stage in sorted({process.stage for process in us.processes}):
        _stop_stage(us, [p for p in us.processes if p.stage == stage])


def describe_exit(status: int) -> str:
    """An exit status in words: "status 3" or "signal SIGKILL"."""
    if status >= 0:
        return f"status {status}"
    with contextlib.suppress(ValueError):
        return f"signal {signal.Signals(-status).name}"
    return f"signal {-status}"


def _look_after(us: Supervisor, process: Process) -> None:
    now = time.monotonic()
    if process.running is None:
        if now >= process.due:
            start(us, process)
    elif process.running.poll() is not None:
        if now - process.started >= STEADY_SECONDS:
            process.pause = FIRST_PAUSE
        ended = describe_exit(process.running.returncode)
        log.warning("%s ended with %s; starting it again in %.1f s", process.name, ended, process.pause)
        _clear_away(us, process)
        process.due = now + process.pause
        process.pause = min(process.pause * 2, LONGEST_PAUSE)


def _clear_away(us: Supervisor, process: Process) -> None:
    """Forget a process that has ended, and kill what it left: an orphan may hold its port."""
    if process.running is not None:
        guardian.signal_session(process.running.pid, signal.SIGKILL)
        process.running.wait()
        _tell_guardian(us, "-", process.running.pid)
        process.running = None


def _stop_stage(us: Supervisor, stage: Sequence[Process]) -> None:
    for process in stage:
        if process.is_alive and process.running is not None:
            process.running.terminate()
    begun = time.monotonic()
    hurried: float | None = None
    while any(process.is_alive for process in stage):
        now = time.monotonic()
        if hurried is None and us.stop.times > 1:
            hurried = now
        if now - begun > STOP_SECONDS or (hurried is not None and now - hurried > HURRY_SECONDS):
            break
        time.sleep(TICK_SECONDS / 5)
    for process in stage:
        if process.is_alive:
            log.warning("%s did not stop in time; killing it", process.name)
        _clear_away(us, process)


@contextlib.contextmanager
def _stop_request() -> Iterator[StopRequest]:
    """Count SIGINT, SIGTERM and SIGHUP, except those the caller had ignored (nohup)."""
    stop = StopRequest()

    def count(_number: int, _frame: object) -> None:
        stop.times += 1

    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    for number in before:
        if number != signal.SIGHUP or before[number] != signal.SIG_IGN:
            signal.signal(number, count)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _start_guardian(us: Supervisor) -> None:
    script = str(Path(guardian.__file__))
    _dismiss_guardian(us)
    us.guard = subprocess.Popen(  # noqa: S603 (our own words, no shell)
        [sys.executable, "-I", "-S", script],
        stdin=subprocess.PIPE,
        bufsize=0,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=us.held_open,
    )
    for process in us.processes:
        if process.running is not None:
            _tell_guardian(us, "+", process.running.pid)


def _tell_guardian(us: Supervisor, sign: str, pid: int) -> None:
    # A guardian that was killed is replaced at the next tick, and told everything then.
    with contextlib.suppress(BrokenPipeError):
        _pipe(us).write(f"{sign}{pid}\n".encode())


def _dismiss_guardian(us: Supervisor) -> None:
    if us.guard is not None:
        _pipe(us).close()
        us.guard.wait()


def _pipe(us: Supervisor) -> IO[bytes]:
    if us.guard is None or us.guard.stdin is None:
        raise BrokenPipeError
    return us.guard.stdin
