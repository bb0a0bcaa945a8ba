"""Several queues, a worker process each: a long job of one queue never delays another's.

One RQ worker on all queues waits for each job to end before it takes the next, so a retraining of minutes
would hold up every comment.
"""

import os
import subprocess
import sys
from collections.abc import Sequence

from workers.supervisor import Process, Supervisor, describe_exit, keep_running, log, start, supervisor


def run_side_by_side(queues: Sequence[str], *, burst: bool = False) -> int:
    """Run a worker for each queue; gives the exit status.

    They are restarted when they die and stopped with this process, however it ends; with `burst` they run
    until there is nothing left to do.
    """
    # This process serves the figures of all of them; two could not listen on one port.
    with supervisor({**os.environ, "GREENROOM_METRICS_PORT": "0"}) as us:
        for queue in queues:
            start(us, Process(f"{queue} worker", _command(queue, burst=burst)))
        if burst:
            return _wait_for_all(us)
        keep_running(us)
    return 0


def _command(queue: str, *, burst: bool) -> list[str]:
    # -P: a folder called `workers` where the owner happens to stand must not be taken for ours.
    command = [sys.executable, "-P", "-m", "workers.cli", "worker", "--queue", queue]
    return [*command, "--burst"] if burst else command


def _wait_for_all(us: Supervisor) -> int:
    failed = 0
    for process in us.processes:
        while process.running is not None and not us.stop.times:
            try:
                status = process.running.wait(timeout=0.2)
            except subprocess.TimeoutExpired:
                continue
            if status:
                log.error("%s ended with %s", process.name, describe_exit(status))
                failed = 1
            break
    return failed
