"""A past made up: comments that a model decided weeks ago, written into the tables as they would be."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import insert

from moderation.database import Database
from moderation.domain.drift import binned, shift
from moderation.domain.new_words import NewWords, fingerprint
from moderation.domain.policy import CATEGORIES
from moderation.models import AnnouncedModel, Comment, Score, Submission, Thread, first_id
from moderation.services.drift import Look, Sample, keep_look, keep_reference

START = datetime(2026, 6, 1, tzinfo=UTC)
WEEK = timedelta(weeks=1)
WORDS = [f"word{n}" for n in range(300)]


def even(chance: random.Random) -> float:
    """Any score as likely as any other."""
    return chance.random()


def some_words(chance: random.Random) -> str:
    """A text of ten words out of a few hundred."""
    return " ".join(chance.choices(WORDS, k=10))


@dataclass
class Past:
    """What came to a site, and the model that is in force since START."""

    database: Database
    site_id: str
    chance: random.Random = field(default_factory=lambda: random.Random(7))

    def begin(self, version: str = "fake-1", at: datetime = START) -> None:
        with self.database.write() as session:
            session.add(AnnouncedModel(name="champion", version=version, announced_at=at))
            session.add(Thread(id="th", site_id=self.site_id, key="a page", closed=False, created_at=START))

    def came(
        self,
        count: int,
        since: datetime,
        length: timedelta,
        *,
        score: Callable[[random.Random], float] = even,
        text: Callable[[random.Random], str] = some_words,
        version: str = "fake-1",
        scored_after: timedelta = timedelta(0),
    ) -> None:
        """So many comments at even steps."""
        made = [
            list(self._rows(since + n * length / count, score, text, version, scored_after))
            for n in range(count)
        ]
        with self.database.write() as session:
            for table, rows in zip((Comment, Submission, Score), zip(*made, strict=True), strict=True):
                session.execute(insert(table), rows)

    def _rows(
        self,
        at: datetime,
        score: Callable[[random.Random], float],
        text: Callable[[random.Random], str],
        version: str,
        scored_after: timedelta,
    ) -> Iterator[dict[str, Any]]:
        end = f"{self.chance.getrandbits(64):016x}"
        comment, submission = first_id("c", at) + end, first_id("sub", at) + end
        body, judged = text(self.chance), at + timedelta(seconds=1)
        yield {
            "id": comment,
            "site_id": self.site_id,
            "thread_id": "th",
            "author": {"name": "Reader"},
            "status": "approved",
            "submission_id": submission,
            "created_at": at,
        }
        yield {
            "id": submission,
            "comment_id": comment,
            "site_id": self.site_id,
            "body": body,
            "body_bytes": len(body),
            "body_digest": sha256(body.encode()).hexdigest(),
            "context": {},
            "created_at": at,
            "judged_at": judged,
        }
        scores = {category: score(self.chance) for category in CATEGORIES}
        row = {"submission_id": submission, "model_version": version, "created_at": judged + scored_after}
        yield row | scores


def keep_alarm(database: Database, version: str, at: datetime) -> None:
    """A model of which spam has clearly moved, as the sweeper would have found it."""
    then, now = [n / 1000 for n in range(1000)], [n / 1000 for n in range(500)]
    first = Sample(at - 2 * WEEK, at - WEEK, [f"sub_{n}" for n in range(1000)], {"spam": then})
    with database.write() as session:
        keep_reference(
            session,
            version,
            first,
            bins={"spam": binned(then)},
            fingerprint=fingerprint(WORDS),
            words=NewWords(400, 0.05, 0.005),
            now=at,
        )
        found = Look(at, at - WEEK, 500, {"spam": shift(binned(then), now)}, NewWords(500, 0.06, 0.005))
        keep_look(session, version, found)
