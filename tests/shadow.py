"""A worker that knows of a shadow at once, not some seconds later."""

from datetime import UTC, datetime

from moderation.services.pending import Past
from workers.process import Process
from workers.shadowing import Seen, follow


def learn(process: Process) -> None:
    """Have it look for a shadow and load its model."""
    process.shadow.next = 0.0
    follow(process, Seen(datetime.now(UTC), [], [], {}, Past()), [])
    if process.shadow.loader is not None:
        process.shadow.loader.join()
