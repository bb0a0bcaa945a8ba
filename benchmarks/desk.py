"""The moderators' desk among many comments: what each step costs the server, and eight people at once.

    python -m benchmarks.desk [--comments N] [--open N] [--rounds N] [--store sqlite|postgresql] [--json FILE]

The database is filled with decided comments and open items, then every step is taken in turns through the
whole application (routing, key, schema, services, database, JSON or page), without a network: milliseconds of
the server. Then eight moderators work all of 2,000 items at once, claiming and deciding. Exit status 1 if an
item was decided twice, lost or left claimed, or if a decision or the next page takes 20 ms or more (median).
"""

import argparse
import random
import re
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from tqdm import tqdm

from benchmarks.desk_rows import fill
from benchmarks.figures import keep, parser_for, percentile
from benchmarks.installation import STORES
from moderation import migrate
from moderation.app import create_app
from moderation.database import Database, open_database
from moderation.models import Decision, QueueItem, Role
from moderation.services.access import create_moderator, create_site
from moderation.settings import Settings, load_settings
from tests.stores import running_postgresql

PEOPLE, WORKED, CLAIMED = 8, 2_000, 10
TARGET_MS = 20.0
TARGETS = ("decide", "next page", "console decision", "console page")
SECRET = "a secret for measuring that is long enough"


@dataclass
class Desk:
    """The application with a moderator's key, and the steps to measure."""

    app: Flask
    database: Database
    keys: list[str]
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    signed_in: FlaskClient | None = None
    token: str = ""

    def call(self, method: str, path: str, key: int = 0, **more: Any) -> Any:
        """One request; it must succeed."""
        client: FlaskClient = self.app.test_client()
        headers = {"Authorization": f"Bearer {self.keys[key]}", **more.pop("headers", {})}
        answer = client.open(path, method=method, headers=headers, **more)
        assert answer.status_code < 300, answer.status
        return answer.get_json() if answer.data else None

    def browser(self) -> FlaskClient:
        """A browser in which the first moderator is signed in."""
        if self.signed_in is None:
            client = self.app.test_client()
            token = _token(client.get("/console/sign-in").text)
            answer = client.post("/console/sign-in", data={"token": token, "key": self.keys[0]})
            assert answer.status_code == 303, answer.status
            self.signed_in = client
        return self.signed_in

    def look(self) -> None:
        """The console's queue."""
        answer = self.browser().get("/console/")
        assert answer.status_code == 200, answer.status
        self.token = _token(answer.text)

    def rule(self, item: dict[str, Any]) -> None:
        """A decision by the console's form, which answers with the way to the next page."""
        data = {"token": self.token, "version": item["version"], "action": "approve"}
        answer = self.browser().post(f"/console/items/{item['id']}/decision", data=data)
        assert answer.status_code == 303, answer.status

    def step(self, name: str, act: Callable[[], Any]) -> Any:
        """Take a step and keep its milliseconds."""
        begun = time.perf_counter()
        found = act()
        self.times[name].append(1000 * (time.perf_counter() - begun))
        return found


def _token(page: str) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def main() -> None:
    """Run and print the table."""
    parser = parser_for(__doc__)
    parser.add_argument("--comments", type=int, default=100_000)
    parser.add_argument("--open", type=int, default=5_000, help="of which wait for a person")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--store", choices=STORES, action="append", help="default: both")
    options = parser.parse_args()
    found = {store: measure(store, options) for store in options.store or STORES}
    keep(options, "desk", found)
    sys.exit(0 if all(one["good"] for one in found.values()) else 1)


def measure(store: str, options: argparse.Namespace) -> dict[str, Any]:
    """One database: the steps, then the eight."""
    with _desk(store) as desk:
        fill(desk.database, options.comments, options.open)
        for _ in tqdm(range(options.rounds), desc=store, unit=" rounds", disable=None):
            _round(desk)
        together = _together(desk)
    figures = {
        name: {
            share: round(percentile(times, p), 1) for share, p in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
        }
        for name, times in desk.times.items()
    }
    quick = all(figures[name]["p50"] < TARGET_MS for name in TARGETS)
    _tell(store, figures, together)
    clean = not (together["twice"] or together["lost"] or together["claimed"])
    return {"steps": figures, "together": together, "good": quick and clean}


def _round(desk: Desk) -> None:
    """Every step once, so that noise hits them alike."""
    first = desk.step("first page", lambda: desk.call("GET", "/api/v1/queue?limit=50"))
    cursor = first["next_cursor"]
    desk.step("next page", lambda: desk.call("GET", f"/api/v1/queue?limit=50&cursor={cursor}"))
    for sort in ("score", "uncertainty", "newest"):
        desk.step(f"page by {sort}", partial(desk.call, "GET", f"/api/v1/queue?limit=50&sort={sort}"))
    desk.step("page of a search", lambda: desk.call("GET", "/api/v1/queue?limit=50&q=model"))
    claimed = desk.step("claim ten", lambda: desk.call("POST", "/api/v1/queue/claims", json={"count": 10}))
    item = claimed["items"][0]
    desk.step("one item", lambda: desk.call("GET", f"/api/v1/queue/{item['id']}"))
    decision = desk.step("decide", lambda: _decide(desk, item, 0))["decision"]["id"]
    desk.step("console page", desk.look)
    other = claimed["items"][1]
    desk.step("console decision", lambda: desk.rule(other))
    desk.step("undo", lambda: desk.call("POST", f"/api/v1/decisions/{decision}/reversal"))
    desk.step("give back", lambda: desk.call("DELETE", "/api/v1/queue/claims"))
    desk.step("statistics", lambda: desk.call("GET", "/api/v1/stats?days=7"))


def _decide(desk: Desk, item: dict[str, Any], key: int) -> Any:
    rejected = {"action": "reject", "reason": "spam"}
    headers = {"If-Match": f'"{item["version"]}"'}
    return desk.call("POST", f"/api/v1/queue/{item['id']}/decision", key, json=rejected, headers=headers)


def _together(desk: Desk) -> dict[str, Any]:
    """Eight people claim and decide until nothing is left of the first 2,000 items."""
    chosen = _choose(desk.database)
    done: Counter[str] = Counter()
    guard = threading.Lock()

    def work(key: int) -> None:
        chance = random.Random(key)
        while True:
            data = {"count": CLAIMED, "filters": {"reason": "chosen"}}
            items = desk.call("POST", "/api/v1/queue/claims", key, json=data)["items"]
            if not items:
                return
            for item in items:
                if chance.random() < 0.02:
                    desk.call("DELETE", f"/api/v1/queue/{item['id']}/claim", key)
                    continue
                _decide(desk, item, key)
                with guard:
                    done[item["id"]] += 1

    begun = time.perf_counter()
    threads = [threading.Thread(target=work, args=(n,)) for n in range(PEOPLE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - begun
    return _judged(desk.database, chosen, done) | {"a_second": round(len(chosen) / seconds, 1)}


def _choose(database: Database) -> set[str]:
    """Mark 2,000 open items by a reason of their own."""
    with database.write() as session:
        ids = session.scalars(
            select(QueueItem.id).where(QueueItem.closed_at.is_(None)).order_by(QueueItem.due_at).limit(WORKED)
        ).all()
        session.execute(update(QueueItem).where(QueueItem.id.in_(ids)).values(reason="chosen"))
    return set(ids)


def _judged(database: Database, chosen: set[str], done: Counter[str]) -> dict[str, Any]:
    with database.read() as session:
        rows = session.execute(
            select(QueueItem.id, QueueItem.closed_at, QueueItem.claimed_by).where(QueueItem.id.in_(chosen))
        ).all()
        decided = Counter(
            session.scalars(
                select(Decision.queue_item_id).where(
                    Decision.queue_item_id.in_(chosen), Decision.reverses.is_(None), Decision.note.is_(None)
                )
            )
        )
    return {
        "items": len(chosen),
        "twice": sum(count > 1 for count in done.values()),
        "lost": sum(row.closed_at is None or not decided[row.id] for row in rows),
        "claimed": sum(row.claimed_by is not None for row in rows),
    }


@contextmanager
def _desk(store: str) -> Iterator[Desk]:
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{home / 'greenroom.db'}"
        if store == "postgresql":
            server = stack.enter_context(running_postgresql(durable=True))
            url = server.create("desk")
        settings = _settings(url, home)
        migrate.upgrade(url)
        database = open_database(url)
        stack.callback(database.engine.dispose)
        yield Desk(create_app(settings), database, _people(database))


def _settings(url: str, home: Path) -> Settings:
    return load_settings(
        {"GREENROOM_HOME": str(home), "GREENROOM_DATABASE_URL": url, "GREENROOM_SECRET_KEY": SECRET}
    )


def _people(database: Database) -> list[str]:
    now = datetime.now(UTC)
    with database.write() as session:
        create_site(session, "A blog", [], {}, secret=SECRET.encode(), now=now)
        return [
            create_moderator(session, f"Moderator {n}", Role.MODERATOR, secret=SECRET.encode(), now=now).key
            for n in range(PEOPLE)
        ]


def _tell(store: str, figures: dict[str, dict[str, float]], together: dict[str, Any]) -> None:
    print(f"\n{store:<22}{'p50 ms':>9}{'p95':>9}{'p99':>9}")
    for name, one in figures.items():
        print(f"{name:<22}{one['p50']:>9.1f}{one['p95']:>9.1f}{one['p99']:>9.1f}")
    told = f"{together['items']} items, {together['a_second']} a second: {together['twice']} decided twice"
    print(f"eight at once: {told}, {together['lost']} lost, {together['claimed']} left claimed")


if __name__ == "__main__":
    main()
