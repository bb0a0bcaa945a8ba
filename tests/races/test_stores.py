"""What both stores must agree on, and what a store in trouble is to its callers"""

import threading
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import sqlalchemy as sa

from moderation.api.service import Service
from moderation.database import Database, Unavailable, open_database
from moderation.models import Comment, QueueItem, Site, Submission, Thread, first_id, new_id
from moderation.services.access import NewModerator, NewSite
from tests.conftest import Api
from tests.stores import run_sql
from tests.together import together


def held(api: Api, site: NewSite, drain: Any, *bodies: str) -> list[str]:
    ids = [api.hand_in(site, f"score:spam=0.7 {body}")["id"] for body in bodies]
    drain()
    return ids


def found(api: Api, who: NewModerator, **query: Any) -> list[str]:
    answer = api.call("GET", "/api/v1/queue", who.key, query_string=query)
    assert answer.status_code == 200, answer.text
    return [item["comment"]["id"] for item in answer.get_json()["items"]]


@pytest.mark.parametrize("words", ["grüße", "GRÜSSE? nein: GRÜßE", "ПРИВЕТ", "100%", "a_b", "\\"])
def test_a_search_ignores_case_in_every_alphabet_and_takes_signs_for_themselves(
    api: Api, alma: NewSite, bruno: NewModerator, drain: Any, words: str
) -> None:
    theirs, *_ = held(api, alma, drain, f"Hier: {words.upper()} und {words}", "something else, 100 aXb")
    assert found(api, bruno, q=words) == [theirs]
    assert found(api, bruno, q=words.lower()) == [theirs]


@pytest.mark.parametrize("name", ["q", "site", "thread", "reason", "cursor"])
@pytest.mark.parametrize("value", ["\0", "a\0b", "\ud800", "9" * 400, "'; --", "%00"])
def test_no_search_of_the_queue_is_too_much_for_a_store(
    api: Api, bruno: NewModerator, name: str, value: str
) -> None:
    sent = value.encode("utf-8", "surrogatepass")
    query = f"{name}=" + "".join(f"%{byte:02x}" for byte in sent)
    assert api.call("GET", f"/api/v1/queue?{query}", bruno.key).status_code < 500


@pytest.mark.parametrize("number", [2**31, 2**63, 2**70, -(2**31) - 1])
def test_no_number_is_too_large_for_a_store(
    api: Api, alma: NewSite, bruno: NewModerator, drain: Any, number: int
) -> None:
    held(api, alma, drain, "a")
    (item,) = api.queue(bruno)
    headers = {"If-Match": f'"{number}"'}
    ruling = {"action": "approve", "reason": "clean"}
    path = f"/api/v1/queue/{item['id']}"
    assert api.call("POST", f"{path}/decision", bruno.key, json=ruling, headers=headers).status_code == 412
    batch = ruling | {"items": [{"id": item["id"], "version": number}]}
    assert api.call("POST", "/api/v1/queue/batches", bruno.key, json=batch).status_code in {200, 422}
    seconds = api.call("PUT", f"{path}/claim", bruno.key, json={"seconds": number})
    assert seconds.status_code == 422
    assert api.call("GET", f"/api/v1/queue?limit={number}", bruno.key).status_code == 422


def test_times_come_back_as_the_same_moment_in_utc(database: Database) -> None:
    at = datetime(2026, 3, 29, 3, 30, 0, 123456, timezone(timedelta(hours=2)))
    with database.write() as session:
        session.add(Site(id="site", name="a", allowed_origins=[], created_at=at))
    with database.read() as session:
        kept = session.get_one(Site, "site").created_at
        earlier = session.scalar(sa.select(Site.id).where(Site.created_at <= at.astimezone(UTC)))
    assert (kept, kept.tzinfo, earlier) == (at, UTC, "site")


def test_json_comes_back_as_it_was(database: Database) -> None:
    author = {"name": "Ünï ☕ 𝄞", "id": "007", "url": None, "nested": {"b": [1, 2.5, True], "a": "\\u0000"}}
    now = datetime.now(UTC)
    with database.write() as session:
        session.add(Site(id="site", name="a", allowed_origins=["b", "a"], created_at=now))
        session.flush()
        session.add(Thread(id="th", site_id="site", key="t", closed=False, created_at=now))
        session.flush()
        comment = Comment(
            id="c", site_id="site", thread_id="th", author=author, submission_id="s", created_at=now
        )
        session.add(comment)
    with database.read() as session:
        assert session.get_one(Comment, "c").author == author
        assert session.get_one(Site, "site").allowed_origins == ["b", "a"]


def test_ids_are_sorted_by_a_store_as_by_python(database: Database) -> None:
    made = sorted({new_id("th") for _ in range(200)} | {"th_0a", "th_09", "th_a0", "th_9f", "th_f9"})
    with database.write() as session:
        session.add(Site(id="site", name="a", allowed_origins=[], created_at=datetime.now(UTC)))
        session.flush()
        for one in made:
            session.add(Thread(id=one, site_id="site", key=one, closed=False, created_at=datetime.now(UTC)))
    with database.read() as session:
        assert session.scalars(sa.select(Thread.id).order_by(Thread.id)).all() == made


def test_an_id_is_never_before_the_first_of_its_time() -> None:
    before = datetime.now(UTC)
    made = new_id("sub")
    assert first_id("sub", before) <= made < first_id("sub", datetime.now(UTC) + timedelta(microseconds=2))


@pytest.mark.parametrize("store", ["postgresql"])
def test_a_statement_that_takes_too_long_is_ended_and_the_caller_may_try_again(database_url: str) -> None:
    database = open_database(f"{database_url}&options=-c%20statement_timeout%3D50ms")
    with pytest.raises(Unavailable, match="QueryCanceled"), database.read() as session:
        session.execute(sa.text("SELECT pg_sleep(30)"))
    with database.read() as session:
        assert session.scalar(sa.text("SELECT 1")) == 1
    database.engine.dispose()


@pytest.mark.parametrize("store", ["postgresql"])
def test_a_transaction_left_open_is_ended_and_the_caller_may_try_again(database_url: str) -> None:
    database = open_database(f"{database_url}&options=-c%20idle_in_transaction_session_timeout%3D50ms")
    with pytest.raises(Unavailable), database.read() as session:
        session.execute(sa.text("SELECT 1"))
        threading.Event().wait(0.5)
        session.execute(sa.text("SELECT 1"))
    with database.read() as session:
        assert session.scalar(sa.text("SELECT 1")) == 1
    database.engine.dispose()


@pytest.mark.parametrize("store", ["postgresql"])
def test_a_standby_refuses_to_write_and_the_caller_may_try_again(database_url: str) -> None:
    database = open_database(f"{database_url}&options=-c%20default_transaction_read_only%3Don")
    with pytest.raises(Unavailable, match="ReadOnlySqlTransaction"), database.write() as session:
        session.add(Site(id="site", name="a", allowed_origins=[], created_at=datetime.now(UTC)))
    database.engine.dispose()


@pytest.mark.parametrize("store", ["postgresql"])
def test_of_two_that_lock_in_opposite_order_one_may_try_again(database: Database) -> None:
    with database.write() as session:
        for name in ("a", "b"):
            session.add(Site(id=name, name=name, allowed_origins=[], created_at=datetime.now(UTC)))
    both = threading.Barrier(2)

    def lock(first: str, second: str) -> str:
        with database.write() as session:
            session.scalars(sa.select(Site).where(Site.id == first).with_for_update()).one()
            both.wait(30)
            session.scalars(sa.select(Site).where(Site.id == second).with_for_update()).one()
            return "both"

    results = together([lambda: lock("a", "b"), lambda: lock("b", "a")])
    assert sorted(str(one) for one in results) == ["DeadlockDetected", "both"]


def test_no_connection_left_is_503_with_a_time_to_try_again(
    api: Api, alma: NewSite, app: Any, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = open_database(database_url, connections=1)
    few.engine.pool._max_overflow, few.engine.pool._timeout = 0, 0.05  # type: ignore[attr-defined]
    parts: Service = app.extensions["greenroom"]
    object.__setattr__(parts, "database", few)
    with few.engine.connect():
        answer = api.call("GET", "/api/v1/threads/first-post/comments", alma.secret_key)
    assert (answer.status_code, answer.get_json()["type"]) == (503, "urn:greenroom:problem:unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert api.call("GET", "/api/v1/threads/first-post/comments", alma.secret_key).status_code == 200
    few.engine.dispose()


@pytest.mark.parametrize("store", ["postgresql"])
def test_the_request_after_every_connection_was_cut_works(
    api: Api, alma: NewSite, database_url: str, shared_postgresql: Any
) -> None:
    api.hand_in(alma)
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'shared'"
    run_sql(shared_postgresql.server.url, cut)
    assert api.hand_in(alma)["status"] == "pending"


def test_an_error_of_our_own_is_not_taken_for_an_outage(database: Database) -> None:
    with pytest.raises(sa.exc.IntegrityError), database.write() as session:
        session.add(
            QueueItem(
                id="i",
                site_id="no such site",
                comment_id="c",
                submission_id="s",
                reason="spam",
                findings=[],
                opened_at=datetime.now(UTC),
                due_at=datetime.now(UTC),
            )
        )
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Submission)) == 0
