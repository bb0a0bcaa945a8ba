"""What gunicorn calls as it starts its web processes: its configuration file."""

import logging
import os
import random
import threading
from collections import Counter
from typing import Any

from moderation.scoring import ModelError
from moderation.settings import Settings

log = logging.getLogger(__name__)
SOME_TEXT = {"body": "A few words, read so that nobody waits.", "author": {}, "thread": {"title": None}}


def pre_fork(server: Any, worker: Any) -> None:
    """Choose the core of a new process: one that the fewest of its living siblings have."""
    taken = Counter(one.core for one in server.WORKERS.values())
    worker.core = min(_cores(_service(worker).settings), key=lambda core: taken[core], default=None)


def post_fork(_server: Any, worker: Any) -> None:
    """Keep a process on its core.

    Its threads take turns in Python. Where two cores are at hand, each turn that a thread gives up for a
    moment wakes another thread on the other core, and then both wait for each other: that cost a third of
    all requests a second. On one core the next thread begins when this one has to wait anyway.
    """
    if worker.core is not None:
        os.sched_setaffinity(0, {worker.core})


def post_worker_init(worker: Any) -> None:
    """Read the model beside the first requests: clients of doors that answer at once give up after a second.

    In each process and not before they part: a thread that looks for new models would be lost on the way.
    """
    threading.Thread(target=warm, args=(_service(worker).scorer,), name="model", daemon=True).start()


def warm(scorer: Any) -> None:
    """Load the champion and score once; without a model the first request finds that out again."""
    try:
        scorer.score([SOME_TEXT])
    except ModelError:
        return
    except Exception as error:
        log.warning("the model was not read at the start (%s)", type(error).__name__)


def _cores(settings: Settings) -> list[int]:
    """Those to choose from; none if that is switched off, or on a system without such a choice (macOS)."""
    if not settings.web_one_core or not hasattr(os, "sched_getaffinity"):
        return []
    cores = list(os.sched_getaffinity(0))
    # Whoever else does this on the same machine should not meet us on the first one.
    return random.sample(cores, len(cores))


def _service(worker: Any) -> Any:
    return worker.app.callable.extensions["greenroom"]
