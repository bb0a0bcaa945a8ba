"""What goes wrong while scoring: poison, no model, the same work twice"""

from pathlib import Path

import pytest

from classifier import Classifier
from classifier.model import MODEL_FILE
from classifier.registry import Registry
from moderation.jobs import open_jobs
from moderation.settings import load_settings
from tests.faults.apart import KIND, Apart
from tests.faults.failpoints import KILLS, RAISES, STRANGE
from tests.processes.running import wait_until

pytestmark = pytest.mark.processes

# A batch held for a second only, so that a test need not wait long for the next try.
HASTY = {"GREENROOM_SCORING_SECONDS": "1"}


@pytest.mark.parametrize("poison", [KILLS, RAISES, STRANGE])
def test_a_poison_comment_is_held_and_its_neighbours_are_scored(service: Apart, poison: str) -> None:
    before = set(service.accepted)
    service.take_in(5, f"beside what {poison.strip('()')}")
    neighbours = service.accepted - before
    held = service.post(KIND.format("poison", 1, poison)).body["id"]
    service.keep_a_worker_until_decided(**HASTY)
    service.assert_recovers()
    assert service.standing(held) == ("held", "unscored")
    assert "unscored" not in {service.standing(one)[1] for one in neighbours}


def test_a_batch_that_cannot_be_recorded_is_tried_again(service: Apart) -> None:
    service.take_in(5, "not recorded")
    service.arm("worker.recording", "raise")
    service.start("worker", **HASTY)
    service.wait_for("worker.recording")
    service.assert_recovers()
    assert service.alive("worker")


def test_a_missing_or_corrupt_model_holds_comments_until_it_is_whole_again(service: Apart) -> None:
    model = champion_of_its_own(service)
    whole = model.read_bytes()
    for spoil in (model.unlink, lambda: model.write_bytes(whole[:-1] + b"x")):
        spoil()
        service.start("worker")
        held = service.post(KIND.format("model", 1, "spoilt")).body["id"]
        service.assert_recovers()
        assert service.standing(held) == ("held", "unscored")
        # The same worker, without a restart.
        model.write_bytes(whole)
        scored = service.post(KIND.format("model", 2, "whole")).body["id"]
        service.assert_recovers()
        assert service.standing(scored)[1] != "unscored"
        service.kill("worker")


def test_a_job_runs_again_after_its_work_was_done_by_another(service: Apart) -> None:
    """The slow worker still holds its verdicts when the batch was given to another one and decided."""
    failed = service.jobs_failed()
    service.arm("worker.took", "wait")
    service.start("worker")
    service.take_in(10, "twice")
    service.wait_for("worker.took")
    service.start("worker 2")
    wait_until(lambda: service.pending() == 0)
    service.let_go("worker.took")
    service.ask_to_stop("worker")
    assert service.status_of("worker") == 0
    service.assert_recovers()
    assert service.jobs_failed() == failed


def test_two_workers_with_more_jobs_than_work_decide_everything_once(service: Apart) -> None:
    failed = service.jobs_failed()
    jobs = open_jobs(load_settings(service.environ).redis_url)
    few = {"GREENROOM_BATCH_COMMENTS": "7"}
    service.start("worker", **few)
    service.start("worker 2", **few)
    for n in range(4):
        service.take_in(30, f"shared {n}")
        # Whatever the mark says, as if it had been lost again and again.
        jobs.look_now()
    service.assert_recovers()
    assert service.jobs_failed() == failed


def champion_of_its_own(service: Apart) -> Path:
    """Make the shipped model again under another version, and that one the champion; its file."""
    settings = load_settings(service.environ)
    registry = Registry(settings.models_dir, settings.secret_key)
    shipped = registry.load()
    version = registry.add(Classifier(shipped.network, {**shipped.card, "version": "faults-1"}))
    registry.promote(version)
    return settings.models_dir / version / MODEL_FILE
