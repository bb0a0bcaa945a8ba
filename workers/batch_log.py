"""What a batch did, told once: a log line, the figures, and at level debug a line for each comment."""

import logging
from collections.abc import Sequence

from moderation import logs, metrics

log = logging.getLogger("workers.scoring")


def tell_batch(taken: Sequence[str], decided: Sequence[str], judging: float, recording: float) -> None:
    """Seconds in, milliseconds out: what people read."""
    metrics.batch(len(taken), judging, recording)
    told = {"judged_ms": round(1000 * judging, 1), "recorded_ms": round(1000 * recording, 1)}
    log.info("batch", extra={"taken": len(taken), "decided": len(decided), **told})
    logs.each(log, "decided", "comment_id", decided)
