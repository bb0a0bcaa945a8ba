"""The service's processes, each with points at which a test can make it fail.

    python -m tests.faults.failpoints worker --queue scoring

Takes the words of the `greenroom` command. A point does nothing until the test writes a file of its name
into the folder FAILPOINTS, with what is to happen there: "kill" (kill -9 of the process and its children),
"raise", or "wait" until the test lets it go on. Each file works once. The service itself knows nothing of it.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

FOLDER, CLOCK = "FAILPOINTS", "FAILPOINTS_CLOCK"
# Shorter than in production, so that tests need not wait for them.
BUSY_SECONDS, LINGER_SECONDS = 1.5, 0.5
APPLICATION = "tests.faults.failpoints:create_app()"
LONGEST_WAIT = 30.0
# In a comment's text: what the model is to do when it meets it.
KILLS, RAISES, STRANGE = "(kills the worker)", "(raises)", "(has strange scores)"


class BrokenHere(Exception):
    """What a point raises that was told to."""


def reach(point: str) -> None:
    """Do at this point what the test asked for, if it did."""
    path = Path(os.environ[FOLDER]) / point
    try:
        what = path.read_text()
        path.rename(path.with_name(f"{point}.reached"))
    except FileNotFoundError:
        return
    if what == "kill":
        # With gunicorn's master: each of the test's processes leads a group of its own.
        os.killpg(0, signal.SIGKILL)
    if what == "raise":
        raise BrokenHere
    _wait_for(path.with_name(f"{point}.go"))


def create_app() -> Any:
    """The web application with its points; named on gunicorn's command line."""
    set_clock()
    add_points()
    from moderation.app import create_app

    return create_app()


def add_points() -> None:
    """Put every point where it belongs."""
    import moderation.database
    import moderation.intake
    import moderation.scoring
    import moderation.services.moderate
    import workers.scoring
    import workers.sweeper

    moderation.database.BUSY_SECONDS = BUSY_SECONDS  # type: ignore[assignment]
    workers.scoring.LINGER_SECONDS = LINGER_SECONDS
    _after(moderation.intake, "accept_all", "web.storing")
    _before(moderation.intake.Intake, "_tell", "web.stored")
    _after(moderation.services.moderate, "labels_taught", "web.deciding")
    _before(workers.scoring, "_judge", "worker.took")
    _before(moderation.scoring.Scorer, "score", "worker.scoring", _meet_poison)
    _after(workers.scoring, "record_verdicts", "worker.recording")
    _after(workers.scoring, "run_batch", "worker.recorded", only=lambda batch: bool(batch.taken))
    _before(workers.sweeper, "wake_pending", "sweeper.waking")
    _spoil_scores(moderation.scoring.Scorer)


def set_clock() -> None:
    """Shift what this process takes for the time, by FAILPOINTS_CLOCK seconds; before anything imports it."""
    seconds = float(os.environ.get(CLOCK, "0"))
    if not seconds:
        return
    import datetime

    real, real_time, real_ns = datetime.datetime, time.time, time.time_ns

    class Shifted(real):  # type: ignore[misc, valid-type]
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cls.fromtimestamp(real_time() + seconds, tz)

    datetime.datetime = Shifted  # type: ignore[misc]
    time.time = lambda: real_time() + seconds
    time.time_ns = lambda: real_ns() + int(seconds * 1e9)


def main() -> None:
    """Run a command of `greenroom` with its points."""
    set_clock()
    execute = os.execv
    # gunicorn is another program: it is told to make the application here.
    os.execv = lambda program, words: execute(program, [*words[:-1], APPLICATION])  # type: ignore[assignment, misc, return-value]
    if sys.argv[1] != "web":
        add_points()
    from workers.cli import main

    main()


def _before(where: Any, name: str, point: str, look: Callable[..., None] = lambda *_: None) -> None:
    call = getattr(where, name)

    def with_point(*args: Any, **kwargs: Any) -> Any:
        reach(point)
        look(*args)
        return call(*args, **kwargs)

    setattr(where, name, with_point)


def _after(where: Any, name: str, point: str, only: Callable[[Any], bool] = lambda _: True) -> None:
    call = getattr(where, name)

    def with_point(*args: Any, **kwargs: Any) -> Any:
        result = call(*args, **kwargs)
        if only(result):
            reach(point)
        return result

    setattr(where, name, with_point)


def _meet_poison(_scorer: object, comments: Sequence[Mapping[str, Any]]) -> None:
    if any(KILLS in comment["body"] for comment in comments):
        os.killpg(0, signal.SIGKILL)
    if any(RAISES in comment["body"] for comment in comments):
        raise BrokenHere


def _spoil_scores(scorer: Any) -> None:
    score = scorer.score

    def spoilt(self: Any, comments: Sequence[Mapping[str, Any]]) -> Any:
        scores = score(self, comments)
        for row, comment in zip(scores.rows, comments, strict=True):
            if STRANGE in comment["body"]:
                row["spam"] = float("nan")
        return scores

    scorer.score = spoilt


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + LONGEST_WAIT
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.02)


if __name__ == "__main__":
    main()
