"""A child that outlives the supervisor just long enough to end what it left, even after `kill -9`.

It reads from a pipe which processes the supervisor started. The pipe closes however the supervisor
dies, and then every session still listed is ended, grandchildren too. PR_SET_PDEATHSIG would reach
direct children only and exists on Linux only. Run as a script, it imports the standard library alone.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path

# How long orphans may take to end by themselves before they are killed.
GRACE_SECONDS = 3.0
_PROC = Path("/proc")


def session_members(session: int) -> list[int]:
    """The processes of a session: all of them on Linux, elsewhere only its leader is known."""
    if not (_PROC / "self" / "stat").exists():
        return [session] if _exists(session) else []
    pids = (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit())
    return [pid for pid in pids if _session_of(pid) == session]


def signal_session(session: int, signal_number: int) -> None:
    """Send a signal to the leader's process group and to whoever left that group but not the session."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(session, signal_number)
    for pid in session_members(session):
        if _group_of(pid) != session:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal_number)


def end_sessions(sessions: Iterable[int], grace: float) -> None:
    """SIGTERM to everyone, then SIGKILL to who is left after the grace."""
    left = set(sessions)
    for session in left:
        signal_session(session, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while (left := {s for s in left if session_members(s)}) and time.monotonic() < deadline:
        time.sleep(0.05)
    for session in left:
        signal_session(session, signal.SIGKILL)


def _session_of(pid: int) -> int | None:
    """The session of a process that runs; a zombie has ended and only waits for its parent."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name before the last bracket may hold spaces and brackets itself.
    state, _parent, _group, session = stat.rpartition(")")[2].split()[:4]
    return None if state in "ZX" else int(session)


def _group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def main() -> None:
    """Follow lines of `+pid` and `-pid` on standard input until it closes, then end what is listed."""
    for harmless in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(harmless, signal.SIG_IGN)
    sessions: set[int] = set()
    for line in sys.stdin:
        change = sessions.add if line.startswith("+") else sessions.discard
        change(int(line[1:]))
    end_sessions(sessions, GRACE_SECONDS)


if __name__ == "__main__":
    main()
