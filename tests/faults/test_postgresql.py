"""The same on PostgreSQL, where a dead process leaves its transaction to the server"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.apart import KIND, Apart, taken_apart
from tests.faults.failpoints import KILLS, STRANGE
from tests.processes.running import wait_until

pytestmark = pytest.mark.processes


@pytest.fixture
def service(postgresql_url: str, tmp_path: Path) -> Iterator[Apart]:
    with taken_apart(tmp_path / "home", postgresql_url) as apart:
        apart.start_missing()
        yield apart


def test_every_process_is_killed_in_turn(service: Apart) -> None:
    for point in ("worker.took", "worker.recording", "worker.recorded"):
        service.take_in(12, f"killed {point}")
        service.arm(point, "kill")
        service.start("worker")
        service.wait_for_death("worker", point)
    service.arm("sweeper.waking", "kill")
    service.wait_for_death("sweeper", "sweeper.waking")
    for point in ("web.storing", "web.stored"):
        service.arm(point, "kill")
        assert service.post(KIND.format("web", 1, point), key=point).status == 0
        service.wait_for_death("web", point)
        service.start_missing()
        assert service.post(KIND.format("web", 1, point), key=point).status == 202
    service.keep_a_worker_until_decided()
    service.assert_recovers()


def test_work_done_twice_and_poison_in_it(service: Apart) -> None:
    service.arm("worker.took", "wait")
    service.start("worker")
    service.take_in(10, "twice")
    service.wait_for("worker.took")
    service.start("worker 2")
    wait_until(lambda: service.pending() == 0)
    service.let_go("worker.took")
    held = [
        service.post(KIND.format("poison", n, text)).body["id"] for n, text in enumerate([KILLS, STRANGE])
    ]
    service.kill("worker 2")
    service.keep_a_worker_until_decided(GREENROOM_SCORING_SECONDS="1")
    service.assert_recovers()
    assert {service.standing(one) for one in held} == {("held", "unscored")}
