"""`greenroom doctor`: what /readyz says, with more detail."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

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
