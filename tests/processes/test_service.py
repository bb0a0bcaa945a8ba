"""The whole service: real web server, Redis, worker, sweeper and model, each in its own process."""

import http.client
import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine, text

from tests.processes.running import Service, running_service, wait_until

pytestmark = pytest.mark.processes

SPAM = (
    "Buy cheap replica watches online now, casino bonus, best price pills http://a.example http://b.example"
)
SCORING_WORKER = ("worker", "--queue", "scoring")
KIND = "Thank you for writing this down, it helped me repair the lamp in number {}."


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_service(tmp_path_factory.mktemp("service") / "home", SCORING_SECONDS="3") as running:
        yield running


def sql(service: Service, query: str) -> list[tuple[object, ...]]:
    """Rows read from the service's database, behind its back."""
    engine = create_engine(f"sqlite:///{service.home / 'greenroom.db'}")
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(text(query))]
    engine.dispose()
    return rows


def hand_in_many(service: Service, count: int, tag: str) -> list[str]:
    """Post comments from eight threads; every one must be accepted."""
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: service.hand_in(KIND.format(f"{tag}-{n}")), range(count)))
    assert {status for status, _ in answers} == {202}
    return [answer["id"] for _, answer in answers]


def all_decided_once(service: Service, ids: list[str]) -> bool:
    """Whether every comment left `pending`, by exactly one decision each."""
    rows = dict(
        sql(
            service,
            """SELECT comment_id, count(*) FROM decisions
        WHERE actor_kind = 'policy' GROUP BY comment_id""",
        )
    )  # type: ignore[arg-type]
    pending = sql(service, "SELECT id FROM comments WHERE status = 'pending'")
    assert all(count == 1 for count in rows.values()), "a comment was decided twice"
    return not pending and all(comment_id in rows for comment_id in ids)


def test_a_comment_is_scored_by_the_real_model_and_decided_while_the_caller_waits(service: Service) -> None:
    status, answer = service.hand_in(SPAM, Prefer="wait=10")
    assert (status, answer["status"]) == (200, "rejected")
    status, answer = service.hand_in(KIND.format("one"), Prefer="wait=10")
    assert (status, answer["status"]) == (200, "approved")


def test_the_whole_loop_from_a_held_comment_to_a_label(service: Service) -> None:
    maintainer = service.keys["moderator_key"]
    held = hold_one(service)
    (item,) = service.call("POST", "/api/v1/queue/claims", maintainer, {"count": 1})[1]["items"]
    assert item["comment"]["id"] == held
    path, seen = f"/api/v1/queue/{item['id']}/decision", {"If-Match": f'"{item["version"]}"'}
    status, answer = service.call("POST", path, maintainer, {"action": "reject", "reason": "spam"}, **seen)
    assert (status, service.status(held)) == (200, "rejected")
    assert sql(service, "SELECT category, value FROM labels WHERE retracted_at IS NULL") == [("spam", 1)]
    undo = f"/api/v1/decisions/{answer['decision']['id']}/reversal"
    assert service.call("POST", undo, maintainer)[0] == 200
    assert service.status(held) == "held"
    assert sql(service, "SELECT category FROM labels WHERE retracted_at IS NULL") == []


def hold_one(service: Service) -> str:
    """A comment that is held for certain: four links are more than the policy lets pass."""
    links = " ".join(f"https://example.org/{n}" for n in range(4))
    status, answer = service.hand_in(f"Compare these pages, please: {links}", Prefer="wait=10")
    assert (status, answer["status"]) in {(200, "held"), (200, "rejected")}
    if answer["status"] == "rejected":
        decision = service.call("GET", answer["links"]["self"], service.keys["secret_key"])[1]["decision"]
        undo = f"/api/v1/decisions/{decision['id']}/reversal"
        assert service.call("POST", undo, service.keys["moderator_key"])[0] == 200
    comment_id: str = answer["id"]
    return comment_id


def test_killing_the_worker_in_the_middle_loses_nothing(service: Service) -> None:
    with ThreadPoolExecutor(1) as pool:
        handing_in = pool.submit(hand_in_many, service, 300, "killed worker")
        for _ in range(3):
            time.sleep(0.3)
            killed = service.kill(*SCORING_WORKER)
            wait_until(lambda killed=killed: _pid(service, *SCORING_WORKER) not in {None, killed})
        ids = handing_in.result()
    wait_until(lambda: all_decided_once(service, ids))


def test_flushing_redis_in_the_middle_loses_nothing(service: Service) -> None:
    with ThreadPoolExecutor(1) as pool:
        handing_in = pool.submit(hand_in_many, service, 200, "flushed")
        for _ in range(5):
            time.sleep(0.1)
            service.flush_redis()
        ids = handing_in.result()
    wait_until(lambda: all_decided_once(service, ids))


def test_comments_are_accepted_while_redis_is_down_and_decided_when_it_is_back(service: Service) -> None:
    killed = service.kill("valkey-server")
    ids = hand_in_many(service, 20, "without redis")
    # Dead at once, but listed until its parent has looked.
    wait_until(lambda: not _alive(killed), seconds=10)
    wait_until(lambda: all_decided_once(service, ids))


def test_killing_the_web_server_loses_no_accepted_comment(service: Service) -> None:
    ids = hand_in_many(service, 20, "killed web")
    service.kill("gunicorn")
    wait_until(lambda: _answers(service))
    wait_until(lambda: all_decided_once(service, ids))


def test_nothing_unscored_was_ever_approved(service: Service) -> None:
    unscored = """SELECT count(*) FROM decisions d WHERE action = 'approve' AND actor_kind = 'policy'
        AND NOT EXISTS (SELECT 1 FROM scores s WHERE s.submission_id = d.submission_id)"""
    assert sql(service, unscored) == [(0,)]
    outcomes = Counter(dict(sql(service, "SELECT status, count(*) FROM comments GROUP BY status")))  # type: ignore[arg-type]
    assert outcomes["pending"] == 0


def test_a_stop_ends_everything_and_a_second_start_goes_on_with_the_same_data(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    home = tmp_path_factory.mktemp("twice") / "home"
    with running_service(home) as first:
        accepted = first.hand_in(KIND.format("before"), Prefer="wait=10")[1]["id"]
        processes = [first.pid_of(word) for word in ("gunicorn", "valkey-server", "sweep", "scoring")]
    assert first.supervisor.returncode == 0
    assert not any(_alive(pid) for pid in processes)
    with running_service(home) as second:
        assert second.keys == first.keys
        assert second.status(accepted) == "approved"


def _pid(service: Service, *words: str) -> int | None:
    try:
        return service.pid_of(*words)
    except AssertionError:
        return None


def _answers(service: Service) -> bool:
    try:
        return service.call("GET", "/healthz", "")[0] == 200
    except (OSError, http.client.HTTPException):  # killed before or in the middle of its answer
        return False


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_retraining_run_over_http_puts_a_new_model_into_service_and_a_rollback_takes_it_back(
    service: Service,
) -> None:
    maintainer = service.keys["moderator_key"]
    shipped = champion(service)
    status, told = service.send_lines("/api/v1/labels", maintainer, taught(300))
    assert (status, told["taken"]) == (200, 300)
    status, run = service.call("POST", "/api/v1/retraining-runs", maintainer)
    assert (status, run["status"]) == (202, "queued")
    path = f"/api/v1/retraining-runs/{run['id']}"
    wait_until(lambda: service.call("GET", path, maintainer)[1]["finished_at"] is not None)
    ended = service.call("GET", path, maintainer)[1]
    assert ended["status"] == "promoted", ended["reason"]
    assert champion(service) == ended["new_version"] != shipped
    assert version_that_scores(service, "after the promotion") == ended["new_version"]
    assert service.call("POST", "/api/v1/models/rollback", maintainer)[1] == {"champion": shipped}
    assert version_that_scores(service, "after the rollback") == shipped


def champion(service: Service) -> str:
    """The model version in force."""
    models = service.call("GET", "/api/v1/models", service.keys["moderator_key"])[1]["items"]
    (version,) = [model["version"] for model in models if model["champion"]]
    return str(version)


def version_that_scores(service: Service, tag: str) -> object:
    """The model version with which a comment is scored now, by workers that were not restarted."""
    status, answer = service.hand_in(KIND.format(tag), Prefer="wait=10")
    assert status == 200
    query = f"SELECT model_version FROM decisions WHERE comment_id = '{answer['id']}'"
    return sql(service, query)[0][0]


def taught(count: int) -> bytes:
    """Labels of a site where one subject, which the shipped model finds harmless, is not wanted."""
    lines = []
    for n in range(count):
        subject = "my knitting circle" if n % 2 else "the evening train"
        body = f"we looked at {subject} again today and everybody spoke of it, number {n}"
        lines.append(json.dumps({"body": body, "labels": {"spam": bool(n % 2)}}))
    return "\n".join(lines).encode()
