"""What gunicorn calls in each web process once it has the application: its configuration file."""

import logging
import threading
from typing import Any

from moderation.scoring import ModelError

log = logging.getLogger(__name__)
SOME_TEXT = {"body": "A few words, read so that nobody waits.", "author": {}, "thread": {"title": None}}


def post_worker_init(worker: Any) -> None:
    """Read the model beside the first requests: clients of doors that answer at once give up after a second.

    In each process and not before they part: a thread that looks for new models would be lost on the way.
    """
    scorer = worker.app.callable.extensions["greenroom"].scorer
    threading.Thread(target=warm, args=(scorer,), name="model", daemon=True).start()


def warm(scorer: Any) -> None:
    """Load the champion and score once; without a model the first request finds that out again."""
    try:
        scorer.score([SOME_TEXT])
    except ModelError:
        return
    except Exception as error:
        log.warning("the model was not read at the start (%s)", type(error).__name__)
