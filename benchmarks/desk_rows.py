"""A database of some months, written quickly: decided comments, and items that wait for a person."""

import hashlib
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import func, select, text
from tqdm import tqdm

from benchmarks.crowd import comments
from moderation.database import Database
from moderation.domain.policy import CATEGORIES
from moderation.models import Comment, Decision, QueueItem, Score, Site, Submission, Thread, table_of
from moderation.services.accept import author_key
from moderation.services.rows import run_many

THREADS, AUTHORS, AT_ONCE = 2_000, 5_000, 2_000
MONTHS = timedelta(days=120)
INSERTS = {
    table: table_of(table).insert() for table in (Thread, Comment, Submission, Score, QueueItem, Decision)
}


def fill(database: Database, count: int, open_items: int) -> None:
    """So many comments of the one site, the newest of which wait for a person."""
    chance = random.Random(1)
    now = datetime.now(UTC)
    with database.write() as session:
        site_id = session.scalars(select(Site.id)).one()
        threads = [_thread(site_id, n, now) for n in range(THREADS)]
        run_many(session, INSERTS[Thread], threads)
    rows = _comments(site_id, count, open_items, chance, now)
    for _ in tqdm(range(0, count, AT_ONCE), desc="filling", unit=" parts", disable=None):
        parts: dict[Any, list[dict[str, Any]]] = {table: [] for table in INSERTS}
        for made in islice(rows, AT_ONCE):
            for table, row in made:
                parts[table].append(row)
        with database.write(lasting=False) as session:
            for table, statement in INSERTS.items():
                run_many(session, statement, parts[table])
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Comment)) == count


def _thread(site_id: str, n: int, now: datetime) -> dict[str, Any]:
    row = {"id": f"th_{n}", "site_id": site_id, "key": f"/a-post/{n}", "url": None, "title": f"A post {n}"}
    return row | {"closed": False, "created_at": now - MONTHS}


def _comments(
    site_id: str, count: int, open_items: int, chance: random.Random, now: datetime
) -> Iterator[list[tuple[Any, dict[str, Any]]]]:
    for n, made in enumerate(islice(comments(7), count)):
        at = now - MONTHS * (1 - n / count) - timedelta(seconds=1)
        yield list(_rows(site_id, n, n >= count - open_items, str(made["body"]), at, chance))


def _rows(
    site_id: str, n: int, is_open: bool, body: str, at: datetime, chance: random.Random
) -> Iterator[tuple[Any, dict[str, Any]]]:
    stamp = f"{int(at.timestamp() * 1_000_000):014x}{n:016x}"
    comment_id, submission_id, item_id = f"c_{stamp}", f"sub_{stamp}", f"item_{stamp}"
    author = {"name": "Reader", "email": f"{chance.randrange(AUTHORS):x}@example.org"}
    scores = {category: round(chance.random() * 0.6, 4) for category in CATEGORIES}
    own = {"site_id": site_id, "created_at": at}
    status = "held" if is_open else chance.choice(("approved", "approved", "rejected"))
    by_people = is_open or chance.random() < 0.2
    yield (
        Comment,
        own
        | {
            "id": comment_id,
            "thread_id": f"th_{chance.randrange(THREADS)}",
            "author": author,
            "author_key": author_key(author),
            "status": status,
            "reason": "spam" if status != "approved" else "clean",
            "submission_id": submission_id,
            "version": 2 if is_open or not by_people else 3,
            "decided_at": at,
        },
    )
    yield (
        Submission,
        own
        | {
            "id": submission_id,
            "comment_id": comment_id,
            "body": body,
            "body_bytes": len(body),
            "body_digest": hashlib.sha256(body.encode()).hexdigest()[:32],
            "context": {},
            "judged_at": at,
            "attempts": 1,
        },
    )
    yield Score, {"submission_id": submission_id, "model_version": "v", "created_at": at} | scores
    held = by_people
    yield from _decisions(own, comment_id, submission_id, item_id, held, is_open, status, at)
    if held:
        yield (
            QueueItem,
            {
                "id": item_id,
                "site_id": site_id,
                "comment_id": comment_id,
                "submission_id": submission_id,
                "reason": "spam",
                "findings": [_FINDING],
                "model_version": "v",
                "top_score": max(scores.values()),
                "opened_at": at,
                "due_at": at + timedelta(hours=24),
                "closed_at": None if is_open else at + timedelta(minutes=30),
                "version": 1,
                "reports": 0,
            },
        )


_FINDING = {"rule": "category_scores", "outcome": "hold", "reason": "spam", "detail": "spam 0.55, limit 0.50"}


def _decisions(
    own: dict[str, Any],
    comment_id: str,
    submission_id: str,
    item_id: str,
    held: bool,
    is_open: bool,
    status: str,
    at: datetime,
) -> Iterator[tuple[Any, dict[str, Any]]]:
    common = own | {
        "comment_id": comment_id,
        "submission_id": submission_id,
        "findings": [_FINDING],
        "note": "made",
    }
    action = {"approved": "approve", "rejected": "reject", "held": "hold"}
    first = "held" if held else status
    yield (
        Decision,
        common
        | {
            "id": f"dec_{comment_id}_2",
            "number": 2,
            "action": action[first],
            "reason": "spam" if first != "approved" else "clean",
            "status_before": "pending",
            "status_after": first,
            "actor_kind": "policy",
            "actor_name": "policy",
            "queue_item_id": None,
        },
    )
    if held and not is_open:
        yield (
            Decision,
            common
            | {
                "id": f"dec_{comment_id}_3",
                "number": 3,
                "action": action[status],
                "reason": "spam" if status != "approved" else "clean",
                "status_before": "held",
                "status_after": status,
                "actor_kind": "moderator",
                "actor_name": "Moderator 0",
                "queue_item_id": item_id,
                "created_at": at + timedelta(minutes=30),
            },
        )
