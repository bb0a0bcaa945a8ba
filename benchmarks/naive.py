"""The obvious design, to compare with: an RQ job for each comment, and an application that only says hello.

The comment is stored as durably (SQLite, synchronous FULL) before the answer; a worker has the same model
loaded before it forks, scores the one comment and stores scores and outcome in a commit of its own.

    python -m benchmarks.naive forked|simple     (a worker; NAIVE_HOME and NAIVE_REDIS in the environment)
"""

import json
import os
import sqlite3
import sys
import uuid
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, request
from redis import Redis
from rq import Queue, SimpleWorker, Worker
from rq.serializers import JSONSerializer

TABLE = """
CREATE TABLE IF NOT EXISTS comments (
    id TEXT PRIMARY KEY, thread TEXT, author TEXT, body TEXT, status TEXT, scores TEXT, created_at TEXT,
    decided_at TEXT
)
"""


def hello(*, one_core: bool = False) -> Flask:
    """The least a Flask application can do; in a process that may be kept on one core, as ours is."""
    if one_core:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    app = Flask("hello")
    app.add_url_rule("/", view_func=lambda: "hello", methods=["POST"])
    return app


def web() -> Flask:
    """Store a comment, enqueue its job, answer."""
    app = Flask("naive")
    store = connect()
    store.execute(TABLE)
    store.close()

    @app.post("/comments")
    def create() -> tuple[dict[str, Any], int]:
        comment_id = uuid.uuid4().hex
        data = request.get_json()
        row = (comment_id, data["thread"]["id"], json.dumps(data["author"]), data["body"], "pending", _now())
        with connect() as database:
            database.execute(
                "INSERT INTO comments (id, thread, author, body, status, created_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                row,
            )
        database.close()
        queue().enqueue_call("benchmarks.naive.decide", args=(comment_id,), result_ttl=0)
        return {"id": comment_id, "status": "pending"}, 202

    return app


def decide(comment_id: str) -> None:
    """The job: score one comment and store what came of it."""
    with connect() as database:
        author, body = database.execute(
            "SELECT author, body FROM comments WHERE id = ?", (comment_id,)
        ).fetchone()
        scored = scorer().score([{"body": body, "author": json.loads(author), "thread": {"title": None}}])
        highest = max(scored.rows[0].values())
        status = "approved" if highest < 0.5 else "held"
        values = (status, json.dumps(scored.rows[0]), _now(), comment_id)
        database.execute(
            "UPDATE comments SET status = ?, scores = ?, decided_at = ? WHERE id = ? AND status = 'pending'",
            values,
        )
    database.close()


def connect() -> sqlite3.Connection:
    """A connection whose commits are on the disk before they end."""
    connection = sqlite3.connect(Path(os.environ["NAIVE_HOME"]) / "naive.db", timeout=30)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection


@cache
def queue() -> Queue:
    """The one queue."""
    return Queue("naive", connection=Redis.from_url(os.environ["NAIVE_REDIS"]), serializer=JSONSerializer)


@cache
def scorer() -> Any:
    """The service's own model."""
    from moderation.scoring import open_scorer
    from moderation.settings import load_settings

    return open_scorer(load_settings({"GREENROOM_HOME": os.environ["NAIVE_HOME"]}))


def _now() -> str:
    return datetime.now(UTC).isoformat()


def main() -> None:
    """Work until told to stop."""
    scorer().current()
    kind = {"forked": Worker, "simple": SimpleWorker}[sys.argv[1]]
    worker = kind(
        [queue()], connection=queue().connection, serializer=JSONSerializer, log_job_description=False
    )
    worker.work(logging_level="WARNING")


if __name__ == "__main__":
    main()
