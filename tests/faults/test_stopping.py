"""SIGTERM: what is at hand is finished, the rest is left, and the exit status is 0"""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.apart import KIND, Apart

pytestmark = pytest.mark.processes


def test_a_request_is_answered_before_the_web_server_ends(service: Apart) -> None:
    service.arm("web.stored", "wait")
    with ThreadPoolExecutor(1) as pool:
        posting = pool.submit(service.post, KIND.format("stop", 1, "request"))
        service.wait_for("web.stored")
        service.ask_to_stop("web")
        service.let_go("web.stored")
        assert posting.result().status == 202
    assert service.status_of("web") == 0
    service.start("worker")
    service.assert_recovers()


def test_a_worker_finishes_its_batch_and_leaves_the_rest(service: Apart) -> None:
    service.take_in(30, "stopped")
    service.arm("worker.took", "wait")
    service.start("worker", GREENROOM_BATCH_COMMENTS="10")
    service.wait_for("worker.took")
    service.ask_to_stop("worker")
    service.let_go("worker.took")
    assert service.status_of("worker") == 0
    assert service.pending() == 20
    service.start("worker")
    service.assert_recovers()


def test_an_idle_worker_and_the_sweeper_end_at_once(service: Apart) -> None:
    service.start("worker")
    service.wait_until_idle()
    for name in ("worker", "sweeper"):
        service.ask_to_stop(name)
        assert service.status_of(name) == 0
