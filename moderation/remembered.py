"""A small memory for what is asked again and again and may be a little old."""

from dataclasses import dataclass, field
from time import monotonic
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass
class Remembered(Generic[Key, Value]):
    """Values for some seconds each. When there are too many, all are forgotten and found again."""

    seconds: float
    most: int = 10_000
    _kept: dict[Key, tuple[float, Value]] = field(default_factory=dict)

    def get(self, key: Key) -> Value | None:
        """The value, unless it is unknown or too old."""
        until, value = self._kept.get(key, (0.0, None))
        return value if until > monotonic() else None

    def put(self, key: Key, value: Value) -> None:
        """Keep a value from now on."""
        if len(self._kept) >= self.most:
            self._kept = {}
        self._kept[key] = (monotonic() + self.seconds, value)
