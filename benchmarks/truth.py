"""What the database says in the end: whether anything was lost, judged twice or decided twice."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

from sqlalchemy import Engine, text

from moderation.database import open_database

_UNJUDGED = "SELECT count(*) FROM submissions WHERE judged_at IS NULL"
_ANY_UNJUDGED = "SELECT 1 FROM submissions WHERE judged_at IS NULL LIMIT 1"
_COUNTS = {
    "comments": "SELECT count(*) FROM comments WHERE site_id = :site",
    "pending": "SELECT count(*) FROM comments WHERE site_id = :site AND status = 'pending'",
    "submissions": "SELECT count(*) FROM submissions WHERE site_id = :site",
    "unjudged": f"{_UNJUDGED} AND site_id = :site",
    "takes": "SELECT coalesce(sum(attempts), 0) FROM submissions WHERE site_id = :site",
    "taken again": "SELECT count(*) FROM submissions WHERE site_id = :site AND attempts > 1",
    "scores": "SELECT count(*) FROM scores s JOIN submissions u ON u.id = s.submission_id"
    " WHERE u.site_id = :site",
    "decisions": "SELECT count(*) FROM decisions WHERE site_id = :site",
    "unscored": "SELECT count(*) FROM comments WHERE site_id = :site AND reason = 'unscored'",
    "not decided once": "SELECT count(*) FROM (SELECT c.id FROM comments c LEFT JOIN decisions d"
    " ON d.comment_id = c.id WHERE c.site_id = :site GROUP BY c.id HAVING count(d.id) <> 1) AS odd",
    "keys": "SELECT count(*) FROM idempotency_keys WHERE site_id = :site",
}
_TIMES = "SELECT created_at, decided_at FROM comments WHERE site_id = :site AND decided_at IS NOT NULL"
# A batch is decided at one moment.
_DECIDED = (
    "SELECT decided_at, count(*) FROM comments WHERE site_id = :site AND decided_at IS NOT NULL"
    " GROUP BY decided_at ORDER BY decided_at"
)
_ANY_TO_FOLLOW = (
    "SELECT 1 FROM decisions WHERE id > coalesce((SELECT decision_id FROM trace_progress), '') LIMIT 1"
)
_KEYS = "SELECT key, comment_id FROM idempotency_keys WHERE site_id = :site"


@dataclass(frozen=True)
class Truth:
    """A connection of the benchmark's own, which no process under test knows of."""

    engine: Engine
    site_id: str

    @classmethod
    @contextmanager
    def of(cls, url: str, site_id: str) -> Iterator["Truth"]:
        """Open it for the length of the block."""
        database = open_database(url)
        try:
            yield cls(database.engine, site_id)
        finally:
            database.engine.dispose()

    def waiting(self) -> int:
        """How many submissions are not judged."""
        return int(self._rows(_UNJUDGED)[0][0])

    def all_judged(self) -> bool:
        """Whether none is left; cheaper than counting."""
        return not self._rows(_ANY_UNJUDGED)

    def counts(self) -> dict[str, int]:
        """Everything that must agree."""
        return {name: int(self._rows(query)[0][0]) for name, query in _COUNTS.items()}

    def times(self) -> list[tuple[datetime, datetime]]:
        """When each comment was accepted and when it was decided."""
        return [(_time(made), _time(decided)) for made, decided in self._rows(_TIMES)]

    def decided_after(self, moment: datetime) -> list[tuple[float, int]]:
        """How many comments were decided by when, in seconds after that moment, batch by batch."""
        seconds = [((_time(at) - moment).total_seconds(), count) for at, count in self._rows(_DECIDED)]
        later = [(at, count) for at, count in seconds if at > 0]
        done = accumulate(count for _, count in later)
        return [(at, so_far) for (at, _), so_far in zip(later, done, strict=True)]

    def all_followed_up(self) -> bool:
        """Whether the sweeper has done for every decision what it does some seconds later."""
        return not self._rows(_ANY_TO_FOLLOW)

    def comments_by_key(self) -> dict[str, str]:
        """The comment that each Idempotency-Key stands for."""
        return {str(key): str(comment_id) for key, comment_id in self._rows(_KEYS)}

    def size(self) -> int:
        """The database's bytes on the disk."""
        if self.engine.dialect.name == "postgresql":
            return int(self._rows("SELECT pg_database_size(current_database())")[0][0])
        pages, bytes_each = (self._rows(f"PRAGMA {name}")[0][0] for name in ("page_count", "page_size"))
        return int(pages) * int(bytes_each)

    def _rows(self, query: str) -> list[Any]:
        with self.engine.connect() as connection:
            values = {"site": self.site_id} if ":site" in query else {}
            return list(connection.execute(text(query), values).all())


def without_double_work(counts: Mapping[str, int]) -> bool:
    """Whether each comment was taken, scored and decided exactly once."""
    once = {counts[name] for name in ("comments", "submissions", "takes", "scores", "decisions")}
    return len(once) == 1 and not counts["unjudged"] and not counts["not decided once"]


def _time(value: Any) -> datetime:
    found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    # SQLite keeps them without a zone, in UTC.
    return found if found.tzinfo else found.replace(tzinfo=UTC)
