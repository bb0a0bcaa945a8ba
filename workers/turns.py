"""Turns of what the sweeper need not do in every round, for it takes a while on a busy installation."""

import time
from dataclasses import dataclass


@dataclass
class Turns:
    """When this process looks next, by its own clock."""

    next: float = 0.0

    def due(self, pause: float) -> bool:
        """Whether it is time; if so, the next turn is so many seconds from now."""
        if time.monotonic() < self.next:
            return False
        self.next = time.monotonic() + pause
        return True
