"""PostgreSQL restarts while comments come in and are decided: real web server, worker and sweeper"""

import http.client
import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from tests.processes.running import Service, running_service, wait_until
from tests.stores import PostgresqlServer, running_postgresql

pytestmark = pytest.mark.processes

POSTS, READERS = 240, 8
MOST_TRIES = 300


@dataclass(frozen=True)
class Answer:
    """What a reader's browser got, or None as status where the connection broke."""

    status: int | None
    headers: dict[str, str]
    text: str


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresqlServer]:
    """A server that may be stopped: nobody else's, and as careful with its data as in production."""
    with running_postgresql(durable=True) as started:
        yield started


@pytest.fixture(scope="module")
def service(server: PostgresqlServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("on postgresql") / "home"
    with running_service(home, DATABASE_URL=server.create("greenroom"), SCORING_SECONDS="2") as running:
        yield running


def post(service: Service, number: int) -> Answer:
    """Hand in comment `number`; the same number again is the same request again."""
    comment = {
        "thread": {"id": "t"},
        "author": {"name": "Reader"},
        "body": f"The lamp number {number} is fine.",
    }
    headers = {
        "Authorization": f"Bearer {service.keys['secret_key']}",
        "Content-Type": "application/json",
        "Idempotency-Key": f"post-{number}",
    }
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    try:
        connection.request("POST", "/api/v1/comments", json.dumps(comment), headers)
        answer = connection.getresponse()
        return Answer(answer.status, dict(answer.getheaders()), answer.read().decode())
    finally:
        connection.close()


def post_until_accepted(service: Service, number: int) -> list[Answer]:
    """As a good client does: try again after 503; gives every answer, the last of which is the 202."""
    answers: list[Answer] = []
    for _ in range(MOST_TRIES):
        answers.append(post(service, number))
        if answers[-1].status == 202:
            return answers
        time.sleep(0.2)
    raise AssertionError(f"never accepted: {Counter(one.status for one in answers)}")


def restart(server: PostgresqlServer, mode: str) -> None:
    server.stop(mode)
    time.sleep(0.5)
    server.start()


def rows(server: PostgresqlServer, query: str) -> list[tuple[Any, ...]]:
    engine = create_engine(server.url_of("greenroom"))
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(query))]
    engine.dispose()
    return found


def test_restarts_under_load_lose_nothing_and_decide_nothing_twice(
    service: Service, server: PostgresqlServer
) -> None:
    with ThreadPoolExecutor(READERS) as pool:
        posting = [pool.submit(post_until_accepted, service, number) for number in range(POSTS)]
        for mode, done in (("fast", POSTS // 4), ("immediate", POSTS // 2)):
            wait_until(lambda done=done: sum(one.done() for one in posting) >= done)
            restart(server, mode)
        answers = [one.result(timeout=120) for one in posting]
    accepted = {json.loads(tries[-1].text)["id"] for tries in answers}
    assert len(accepted) == POSTS
    for refused in (one for tries in answers for one in tries[:-1]):
        assert_is_a_clean_refusal(refused)
    wait_until(lambda: rows(server, "SELECT 1 FROM comments WHERE status = 'pending'") == [])
    assert {row[0] for row in rows(server, "SELECT id FROM comments")} == accepted
    decisions = Counter(row[0] for row in rows(server, "SELECT comment_id FROM decisions"))
    assert decisions == dict.fromkeys(accepted, 1)


def assert_is_a_clean_refusal(answer: Answer) -> None:
    assert answer.status == 503, answer
    assert json.loads(answer.text)["type"] == "urn:greenroom:problem:unavailable"
    assert int(answer.headers["Retry-After"]) > 0
    assert "Traceback" not in answer.text


def test_while_it_is_down_everything_says_so_and_the_first_request_afterwards_works(
    service: Service, server: PostgresqlServer
) -> None:
    server.stop("fast")
    refused = [post(service, 1000 + number) for number in range(5)]
    status, parts = service.call("GET", "/readyz", "")
    server.start()
    after = [post(service, 2000 + number) for number in range(20)]
    for one in refused:
        assert_is_a_clean_refusal(one)
    assert (status, parts["status"]) == (503, "unavailable")
    assert {one.status for one in after} == {202}


def test_nothing_is_left_open_in_a_transaction(service: Service, server: PostgresqlServer) -> None:
    assert service.hand_in("One more, thank you.", Prefer="wait=10")[0] == 200
    query = "SELECT application_name, state FROM pg_stat_activity WHERE datname = 'greenroom'"
    wait_until(lambda: all(state != "idle in transaction" for _, state in rows(server, query)))
    names = {name for name, _ in rows(server, query)}
    assert names >= {"greenroom web", "greenroom worker"}


def test_the_log_tells_the_outage_in_a_line_and_never_a_comment(service: Service) -> None:
    log = (Path(service.home).parent / f"{service.home.name}.log").read_text()
    assert "the database cannot be used" in log
    assert "The lamp number" not in log
