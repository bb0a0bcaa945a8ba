"""`greenroom doctor`: what /readyz says, with more detail."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from redis import Redis
from rq import Queue, Worker

from classifier import shipped
from moderation.database import open_database
from moderation.services.webhooks import EndpointWish, create_endpoint
from tests.conftest import make_site
from tests.past import keep_alarm
from workers.cli import main


def doctor(
    monkeypatch: pytest.MonkeyPatch, home: Path, database_url: str, redis_url: str, **more: str
) -> Result:
    settings = {"HOME": str(home), "DATABASE_URL": database_url, "REDIS_URL": redis_url} | more
    for name, value in settings.items():
        monkeypatch.setenv(f"GREENROOM_{name}", value)
    return CliRunner().invoke(main, ["doctor"])


def test_without_workers_it_is_degraded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sqlite_url: str, redis_url: str
) -> None:
    result = doctor(monkeypatch, tmp_path, sqlite_url, redis_url)
    assert result.exit_code == 1
    assert "ok     migrations" in result.output
    assert "WRONG  workers    no worker serves scoring, retraining" in result.output
    assert result.output.splitlines()[-1] == "degraded"


def test_without_tables_it_is_unavailable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, redis_url: str
) -> None:
    result = doctor(monkeypatch, tmp_path, f"sqlite:///{tmp_path / 'empty.db'}", redis_url)
    assert "WRONG  migrations none was applied; run `greenroom migrate`" in result.output
    assert result.output.splitlines()[-1] == "unavailable"


def test_without_redis_it_says_what_cannot_be_known(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sqlite_url: str
) -> None:
    result = doctor(monkeypatch, tmp_path, sqlite_url, f"unix://{tmp_path / 'none.sock'}")
    assert "WRONG  workers    unknown while Redis cannot be reached" in result.output
    assert result.output.splitlines()[-1] == "degraded"


def test_a_misspelt_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sqlite_url: str, redis_url: str
) -> None:
    result = doctor(monkeypatch, tmp_path, sqlite_url, redis_url, LOG_LEVLE="debug")
    assert "WRONG  settings   GREENROOM_LOG_LEVLE: no such setting" in result.output


def test_webhooks_need_a_worker_once_there_are_endpoints(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sqlite_url: str, redis_url: str
) -> None:
    assert "ok     webhooks   no endpoints" in doctor(monkeypatch, tmp_path, sqlite_url, redis_url).output
    database = open_database(sqlite_url)
    wish = EndpointWish(make_site(database).site_id, "https://blog.example.org/", ["comment.held"])
    with database.write() as session:
        create_endpoint(session, wish, datetime.now(UTC))
    database.engine.dispose()
    told = "no worker tells 1 endpoints of anything; run `greenroom worker --queue webhooks`"
    assert f"WRONG  webhooks   {told}" in doctor(monkeypatch, tmp_path, sqlite_url, redis_url).output
    away = doctor(monkeypatch, tmp_path, sqlite_url, f"unix://{tmp_path / 'none.sock'}")
    assert "WRONG  webhooks   unknown while Redis cannot be reached" in away.output
    connection = Redis.from_url(redis_url)
    worker = Worker([Queue("webhooks", connection=connection)], connection=connection)
    worker.register_birth()
    try:
        found = doctor(monkeypatch, tmp_path, sqlite_url, redis_url)
    finally:
        worker.register_death()
    assert "ok     webhooks   1 workers for 1 endpoints" in found.output


def test_drift_is_told_and_is_no_fault(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sqlite_url: str, redis_url: str
) -> None:
    before = doctor(monkeypatch, tmp_path, sqlite_url, redis_url)
    assert "ok     drift      too few comments yet to compare later ones with" in before.output
    database = open_database(sqlite_url)
    keep_alarm(database, shipped.VERSION, datetime.now(UTC))
    database.engine.dispose()
    after = doctor(monkeypatch, tmp_path, sqlite_url, redis_url)
    assert "ALARM  drift      scores have clearly moved for spam (" in after.output
    assert after.output.splitlines()[-1] == before.output.splitlines()[-1] == "degraded"
