"""What each web process does before its first request: it reads the model."""

import threading
from types import SimpleNamespace

import pytest
from flask import Flask

from moderation.scoring import ModelError
from moderation.web_start import post_worker_init, warm
from tests.fakes import FakeScorer
from workers.cli.process_commands import web_command


def test_a_new_process_scores_once_beside_its_first_requests(app: Flask, scorer: FakeScorer) -> None:
    post_worker_init(SimpleNamespace(app=SimpleNamespace(callable=app)))
    for thread in threading.enumerate():
        if thread.name == "model":
            thread.join(timeout=10)
    assert scorer.batches == [1]


@pytest.mark.parametrize("error", [ModelError("none"), RuntimeError("broken")])
def test_without_a_model_the_process_starts_all_the_same(
    scorer: FakeScorer, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(_comments: object) -> None:
        raise error

    monkeypatch.setattr(scorer, "score", fail)
    warm(scorer)


def test_gunicorn_is_told_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    monkeypatch.setattr("os.execv", lambda _path, arguments: ran.extend(arguments))
    monkeypatch.setattr("workers.cli.process_commands.settings_and_log", _settings)
    assert web_command.callback is not None
    web_command.callback()
    assert ran[ran.index("--config") + 1] == "python:moderation.web_start"


def _settings() -> SimpleNamespace:
    return SimpleNamespace(host="127.0.0.1", port=1, web_processes=1, web_threads=1)
