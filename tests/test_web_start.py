"""What each web process does before its first request: it reads the model."""

import os
import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest
from flask import Flask

from moderation.scoring import ModelError
from moderation.web_start import post_fork, post_worker_init, pre_fork, warm
from tests.fakes import FakeScorer
from workers.cli.process_commands import web_command

needs_affinity = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")


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


@needs_affinity
def test_each_web_process_is_kept_on_a_core_that_its_siblings_leave_free(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[set[int]] = []
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: {2, 5, 7})
    monkeypatch.setattr("os.sched_setaffinity", lambda _pid, cores: kept.append(cores))
    server = SimpleNamespace(WORKERS={})
    for pid in range(3):
        _fork(server, pid, app)
    assert set.union(*kept) == {2, 5, 7}
    del server.WORKERS[1]
    _fork(server, 3, app)
    assert kept[3] == kept[1]


@needs_affinity
def test_the_cores_can_be_left_to_the_kernel(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_setaffinity", lambda *_: pytest.fail("kept on a core"))
    service = app.extensions["greenroom"]
    settings = replace(service.settings, web_one_core=False)
    monkeypatch.setitem(app.extensions, "greenroom", replace(service, settings=settings))
    _fork(SimpleNamespace(WORKERS={}), 1, app)


def _fork(server: SimpleNamespace, pid: int, app: Flask) -> None:
    worker = SimpleNamespace(app=SimpleNamespace(callable=app))
    pre_fork(server, worker)
    server.WORKERS[pid] = worker
    post_fork(server, worker)


def test_gunicorn_is_told_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    monkeypatch.setattr("os.execv", lambda _path, arguments: ran.extend(arguments))
    monkeypatch.setattr("workers.cli.process_commands.settings_and_log", _settings)
    assert web_command.callback is not None
    web_command.callback()
    assert ran[ran.index("--config") + 1] == "python:moderation.web_start"


def _settings() -> SimpleNamespace:
    return SimpleNamespace(host="127.0.0.1", port=1, web_processes=1, web_threads=1)
