"""What the memory of texts costs with 100,000 decided comments on one site: asking it, and writing it.

    python -m benchmarks.lookup [--comments N] [--store sqlite|postgresql] [--json FILE]

Made-up comments of some fifty words, a tenth of them variants of others, are put into the tables directly.
Then the nearest three are asked for as the desk does, and batches of new comments are read, looked back for
and recorded as a worker does, in turns with traces (of those held) and without. PostgreSQL is started from
its Python package, as durable as in production. Figures are milliseconds, or microseconds a comment.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select
from tqdm import tqdm

from benchmarks.figures import keep, median_and_range, parser_for, percentile
from moderation import migrate
from moderation.database import Database, open_database
from moderation.domain.policy import CATEGORIES, PolicySettings
from moderation.domain.rules import judge
from moderation.domain.status import Action
from moderation.models import Comment, Decision, Submission, Thread, new_id
from moderation.scoring import words_of
from moderation.services.accept import Entry, NewComment, accept_all, body_digest
from moderation.services.access import create_site
from moderation.services.following import follow_decisions
from moderation.services.nearest import find_nearest
from moderation.services.pending import (
    Judged,
    look_back,
    read_taken,
    record_verdicts,
    signals_for,
    take_pending,
)
from moderation.services.recall import remember
from moderation.services.traces import record_traces, traces_of
from tests.stores import STORES, running_postgresql
from workers.sweeper import FOLLOWED_AT_ONCE

Figures = dict[str, list[float]]
BATCH, ASKED = 256, 400
# Of the decided comments people decided this share.
BY_PEOPLE = 0.1
POINTS: dict[str, Any] = {}
CALM = dict.fromkeys(CATEGORIES, 0.01)


def main() -> None:
    """Run on one store or both and print."""
    parser = parser_for(__doc__)
    parser.add_argument("--comments", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--store", choices=STORES)
    options = parser.parse_args()
    figures = {}
    for store in [options.store] if options.store else STORES:
        with opened(store) as database:
            figures[store] = measure(database, options)
            tell(store, options.comments, figures[store])
    keep(options, "lookup", figures)


@contextmanager
def opened(store: str) -> Iterator[Database]:
    """An empty database with every table."""
    with tempfile.TemporaryDirectory() as folder:
        if store == "sqlite":
            url = f"sqlite:///{Path(folder) / 'greenroom.db'}"
            migrate.upgrade(url)
            yield open_database(url)
            return
        with running_postgresql(durable=True) as server:
            url = server.create("lookup")
            migrate.upgrade(url)
            database = open_database(url)
            yield database
            database.engine.dispose()


def measure(database: Database, options: argparse.Namespace) -> Figures:
    """Fill, then ask and record."""
    texts = Texts(random.Random(0))
    site_id = fill(database, texts, options.comments)
    figures: Figures = defaultdict(list)
    ask_nearest(database, figures["nearest"])
    for number in range(options.rounds):
        turns = ("with", "without") if number % 2 else ("without", "with")
        for turn in turns:
            record(database, site_id, texts, figures, turn)
    follow(database, figures)
    return figures


class Texts:
    """Texts whose words are as unevenly frequent as those of people; every tenth is like one of before."""

    def __init__(self, chance: random.Random) -> None:
        letters = "etaoinshrdlu"
        self.chance = chance
        self.words = ["".join(chance.choices(letters, k=chance.randint(2, 11))) for _ in range(20_000)]
        self.weights = [1 / (rank + 3) for rank in range(len(self.words))]
        self.earlier: list[list[str]] = []

    def new(self) -> str:
        """Another text, of some fifty words."""
        chance = self.chance
        if self.earlier and chance.random() < 0.1:
            words = list(chance.choice(self.earlier))
            for _ in range(len(words) // 6):
                words[chance.randrange(len(words))] = chance.choice(self.words)
        else:
            words = chance.choices(self.words, self.weights, k=max(3, int(chance.expovariate(1 / 50))))
            self.earlier = [*self.earlier[-500:], words]
        if chance.random() < 0.15:
            words = [*words, f"https://{chance.choice(self.words[:3000])}.example/{chance.random()}"]
        return " ".join(words)


def fill(database: Database, texts: Texts, count: int) -> str:
    """Decided comments of one site, put into the tables as they would be."""
    now = datetime.now(UTC)
    with database.write() as session:
        site = create_site(session, "A site", [], {}, secret=b"0" * 32, now=now)
        session.add(Thread(id="th", site_id=site.site_id, key="t", closed=False, created_at=now))
    for start in tqdm(range(0, count, 1000), unit=" thousand", disable=None):
        with database.write(lasting=False) as session:
            at = now - timedelta(days=20) + timedelta(seconds=10 * start)
            rows = [
                decided(site.site_id, texts.new(), texts.chance, at) for _ in range(min(1000, count - start))
            ]
            for table, n in ((Comment, 0), (Submission, 1), (Decision, 2)):
                session.execute(insert(table), [row[n] for row in rows])
            record_traces(
                session,
                [traces_of(s["id"], site.site_id, s["body"], {}, words_of(s["body"])) for _, s, _ in rows],
                decided=True,
            )
            for comment, submission, decision in rows:
                if decision["actor_kind"] != "policy":
                    remember(session, comment["site_id"], submission["id"])
    if not database.is_sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
    return site.site_id


def decided(site_id: str, body: str, chance: random.Random, at: datetime) -> tuple[dict[str, Any], ...]:
    """The rows of a decided comment."""
    comment_id, submission_id = new_id("c"), new_id("sub")
    rejected, people = chance.random() < 0.3, chance.random() < BY_PEOPLE
    status, action, reason = ("rejected", "reject", "spam") if rejected else ("approved", "approve", "clean")
    common = {"site_id": site_id, "created_at": at}
    comment: dict[str, Any] = {
        "id": comment_id,
        "thread_id": "th",
        "author": {"name": "A"},
        "author_key": f"id:{chance.randrange(5000)}",
    }
    comment |= {
        "status": status,
        "reason": reason,
        "submission_id": submission_id,
        "version": 2,
        "decided_at": at,
    }
    submission: dict[str, Any] = {"id": submission_id, "comment_id": comment_id, "body": body}
    submission |= {"body_bytes": len(body)}
    submission |= {"body_digest": body_digest(body), "context": {}, "judged_at": at, "attempts": 1}
    decision: dict[str, Any] = {"id": new_id("dec"), "comment_id": comment_id, "number": 2}
    decision |= {"submission_id": submission_id}
    decision |= {"action": action, "reason": reason, "status_before": "pending", "status_after": status}
    decision |= {"actor_kind": "moderator" if people else "policy", "actor_name": "A", "findings": []}
    return comment | common, submission | common, decision | common


def ask_nearest(database: Database, took: list[float]) -> None:
    """Ask for the nearest three of decided comments taken by chance, as if each were an open item."""
    with database.read() as session:
        ids = session.scalars(select(Comment.id).order_by(Comment.id)).all()
    chance = random.Random(1)
    for comment_id in chance.sample(list(ids), min(ASKED, len(ids))):
        with database.read() as session:
            comment = session.get_one(Comment, comment_id)
            started = time.perf_counter()
            find_nearest(session, comment)
            took.append((time.perf_counter() - started) * 1000)


def record(database: Database, site_id: str, texts: Texts, figures: Figures, turn: str) -> None:
    """One batch the way a worker takes it: a sixth is held, as on a blog with much spam."""
    now = datetime.now(UTC)
    new = [NewComment("t", texts.new(), {"name": "A", "id": str(n % 90)}) for n in range(BATCH)]
    with database.write() as session:
        accept_all(session, [Entry(site_id, one, now) for one in new])
    with database.write() as session:
        ids = take_pending(session, now, most=BATCH, most_bytes=10_000_000, seconds=60).ids
    policies = {site_id: PolicySettings()}
    with database.read() as session:
        taken = read_taken(session, ids, now)
        with timing(figures["reading"], len(ids)):
            traces = [traces_of(t.submission_id, site_id, t.body, t.author, words_of(t.body)) for t in taken]
        with timing(figures["look back"], len(ids)):
            past = look_back(session, traces, policies, now)
    verdicts = []
    for n, (t, kept) in enumerate(zip(taken, traces, strict=True)):
        scores = CALM | {"spam": 0.1 if n % 6 else 0.6}
        verdict = judge(signals_for(t, scores, POINTS, now, past), policies[site_id])
        keeps = turn == "with" and verdict.outcome is Action.HOLD
        verdicts.append(Judged(t, verdict, scores, "v", kept if keeps else None))
    with timing(figures[turn], len(ids)), database.write() as session:
        record_verdicts(session, verdicts, now, 24.0)


def follow(database: Database, figures: Figures) -> None:
    """Follow up the decisions of before as the sweeper does."""
    later = datetime.now(UTC) + timedelta(minutes=1)
    for _ in range(100):
        started = time.perf_counter()
        with database.write() as session:
            done = follow_decisions(session, words_of, later, FOLLOWED_AT_ONCE)
        if done < FOLLOWED_AT_ONCE:
            return
        figures["follow"].append((time.perf_counter() - started) * 1e6 / done)


@contextmanager
def timing(took: list[float], comments: int) -> Iterator[None]:
    """Note the microseconds a comment."""
    started = time.perf_counter()
    yield
    took.append((time.perf_counter() - started) * 1e6 / comments)


def tell(store: str, comments: int, figures: Figures) -> None:
    """The lines of one store."""
    nearest = figures["nearest"][20:]
    print(f"{store}, {comments:,} decided comments on one site")
    print(f"  the nearest three, ms: p50 {percentile(nearest, 0.5):.1f}, p99 {percentile(nearest, 0.99):.1f}")
    for name, words in (
        ("reading", "imprint and domains"),
        ("look back", "looking back"),
        ("without", "recording a verdict without traces"),
        ("with", "recording a verdict with traces"),
        ("follow", "following up a decision (in the sweeper)"),
    ):
        print(f"  {words}, microseconds a comment: {median_and_range(figures[name], 1)}")
    more = statistics.median(figures["with"]) / statistics.median(figures["without"]) - 1
    print(f"  traces add {more:+.0%} to recording")


if __name__ == "__main__":
    main()
