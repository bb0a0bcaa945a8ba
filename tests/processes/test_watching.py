"""What can be seen of the whole service from outside: figures of all its processes, and its logs."""

import http.client
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.processes.running import Service, free_port, running_service, wait_until

pytestmark = pytest.mark.processes

# None of it may be found in a log, whole or in part.
ODD = "zyxwv-Körper\n\"quoted\" {braces} %s \u202e <script>alert('zyxwv')</script>"
NAME, EMAIL, ADDRESS = "Zyxwv Öqpon", "zyxwv.reader@example.org", "203.0.113.77"
SPOKEN = ("zyxwv", "Zyxwv", "qpon", EMAIL, ADDRESS)
SCORING_WORKER = ("worker", "--queue", "scoring")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("watched") / "home"
    with running_service(home, LOG_LEVEL="debug", SCORING_SECONDS="3") as running:
        yield running


def log_text(service: Service) -> str:
    return (service.home.parent / f"{service.home.name}.log").read_text(encoding="utf-8")


def log_lines(service: Service) -> list[dict[str, object]]:
    """Every line on stderr, which all must be JSON objects; the banner on stdout is for people."""
    return [json.loads(line) for line in log_text(service).splitlines() if line.startswith("{")]


def get(port: int, path: str, **headers: str) -> tuple[int, str, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), dict(answer.headers)
    finally:
        connection.close()


def figures(port: int) -> dict[str, float]:
    lines = [x for x in get(port, "/metrics")[1].splitlines() if not x.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def decided(port: int) -> float:
    return sum(value for name, value in figures(port).items() if name.startswith("greenroom_decisions_total"))


def hand_in(service: Service, body: str, **headers: str) -> tuple[int, object]:
    author = {"name": NAME, "email": EMAIL, "ip": ADDRESS}
    comment = {"thread": {"id": "t", "title": ODD}, "author": author, "body": body}
    return service.call("POST", "/api/v1/comments", service.keys["secret_key"], comment, **headers)


def test_a_web_server_tells_what_the_worker_counted(service: Service) -> None:
    before = decided(service.port)
    assert hand_in(service, "A kind word about lamps.", Prefer="wait=10")[0] == 200
    wait_until(lambda: decided(service.port) == before + 1)
    found = figures(service.port)
    assert found["greenroom_batch_comments_count"] >= 1
    assert found['greenroom_submissions_accepted_total{kind="comment"}'] >= 1
    assert found['greenroom_workers{queue="scoring"}'] == 1


def test_no_figure_falls_when_worker_and_web_server_are_killed(service: Service) -> None:
    for n in range(3):
        hand_in(service, f"A kind word about lamp {n}.", Prefer="wait=10")
    before = figures(service.port)
    files = len(list((service.home / "metrics").glob("*.db")))
    for words in (SCORING_WORKER, ("gunicorn",)):
        killed = service.kill(*words)
        wait_until(lambda words=words, killed=killed: _pid(service, *words) not in {None, killed})
        wait_until(lambda: _answers(service))
    hand_in(service, "A kind word about another lamp.", Prefer="wait=10")
    after = figures(service.port)
    counters = [name for name in before if re.match(r"greenroom_\w+_(total|count|bucket|sum)\b", name)]
    assert len(counters) > 50
    assert {name for name in counters if after.get(name, 0) < before[name]} == set()
    # Besides those of the living, one of each kind for all the dead.
    assert len(list((service.home / "metrics").glob("*.db"))) <= files + 4


def test_a_worker_serves_its_own_figures_on_a_port_of_its_own(service: Service, tmp_path: Path) -> None:
    port = free_port()
    settings = {"HOME": str(service.home), "METRICS_PORT": str(port), "LOG_FORMAT": "text"}
    environ = {**os.environ, **{f"GREENROOM_{name}": value for name, value in settings.items()}}
    command = [sys.executable, "-m", "workers.cli", "worker", "--queue", "retraining"]
    with (tmp_path / "log").open("wb") as log:
        worker = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
    try:
        wait_until(lambda: _listens(port))
        assert decided(port) == decided(service.port)
        # A second one finds the port taken, and works all the same.
        second = subprocess.run(
            [*command, "--burst"], env=environ, capture_output=True, text=True, timeout=60
        )
        assert second.returncode == 0
        assert "metrics are not served" in second.stderr
    finally:
        worker.terminate()
        worker.wait(timeout=60)


def test_no_log_of_any_process_holds_what_people_wrote(service: Service) -> None:
    key = service.keys["secret_key"]
    answer = hand_in(service, ODD, Prefer="wait=10", **{"Idempotency-Key": "zyxwv"})[1]
    service.call("PUT", f"/api/v1/comments/{answer['id']}", key, {"body": ODD + " edited"})  # type: ignore[index]
    service.call("POST", "/api/v1/comments", key, {"zyxwv": ODD})
    service.call("GET", f"/api/v1/threads/{quote(ODD)}/comments", key)
    service.call("GET", f"/api/v1/comments/{quote(EMAIL)}?receipt=zyxwv", key)
    service.call("GET", f"/zyxwv?q={quote(ODD)}", "zyxwv-key")
    get(service.port, "/healthz", **{"X-Request-Id": EMAIL})
    comment_id = answer["id"]  # type: ignore[index]
    wait_until(lambda: service.status(comment_id) != "pending")
    wait_until(lambda: comment_id in told(service, "workers.scoring", "comment_id"))
    text = log_text(service)
    assert [
        word for word in (*SPOKEN, *service.keys.values()) if word in text.partition("Greenroom is")[0]
    ] == []
    after_banner = "\n".join(line for line in text.splitlines() if line.startswith("{"))
    secret = [value for name, value in service.keys.items() if "key" in name]
    assert [word for word in (*SPOKEN, answer["receipt"], *secret) if word in after_banner] == []  # type: ignore[index]


def told(service: Service, logger: str, member: str) -> set[object]:
    return {line[member] for line in log_lines(service) if line["logger"] == logger and member in line}


def test_a_request_is_found_in_the_log_by_the_id_its_caller_was_told(service: Service) -> None:
    status, body, headers = get(service.port, "/api/v1/nothing", **{"X-Request-Id": "seen-by-the-proxy"})
    assert (status, json.loads(body)["request_id"], headers["X-Request-Id"]) == (
        404,
        *("seen-by-the-proxy",) * 2,
    )
    wait_until(lambda: "seen-by-the-proxy" in told(service, "moderation.api.watching", "request_id"))


def test_every_process_logs_in_the_same_shape(service: Service) -> None:
    service.kill(*SCORING_WORKER)
    wait_until(lambda: "greenroom.up" in {line["logger"] for line in log_lines(service)})
    hand_in(service, "A kind word about the last lamp.")
    wait_until(lambda: bool(told(service, "workers.scoring", "taken")))
    for line in log_lines(service):
        assert {"time", "level", "logger", "message"} <= set(line)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(line["time"]))
    batch = next(line for line in log_lines(service) if line["message"] == "batch")
    assert {"job_id", "queue", "taken", "decided", "judged_ms", "recorded_ms"} <= set(batch)
    others = [line for line in log_text(service).splitlines() if line and not line.startswith("{")]
    assert "Greenroom is ready" in "\n".join(others)
    assert not [line for line in others if "Traceback" in line or "WARNING" in line or "Error" in line]


def _pid(service: Service, *words: str) -> int | None:
    try:
        return service.pid_of(*words)
    except AssertionError:
        return None


def _answers(service: Service) -> bool:
    try:
        return get(service.port, "/healthz")[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def _listens(port: int) -> bool:
    try:
        return get(port, "/metrics")[0] == 200
    except (OSError, http.client.HTTPException):
        return False
