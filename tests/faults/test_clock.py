"""The clock is set back by an hour, as after a wrong time was put right"""

import pytest

from tests.faults.apart import KIND, Apart
from tests.faults.failpoints import CLOCK

pytestmark = pytest.mark.processes

AN_HOUR_BACK = {CLOCK: "-3600"}


def test_what_a_dead_worker_took_by_the_old_clock_is_not_held_until_the_new_one_comes_there(
    service: Apart,
) -> None:
    service.arm("worker.took", "kill")
    service.start("worker")
    service.take_in(5, "by the old clock")
    first = service.post(KIND.format("clock", 1, "old"), key="over-the-change")
    service.wait_for_death("worker", "worker.took")
    for name in ("web", "sweeper"):
        service.kill(name)
        service.start(name, **AN_HOUR_BACK)
    service.start("worker", **AN_HOUR_BACK)
    service.start_missing()
    service.take_in(5, "by the new clock")
    again = service.post(KIND.format("clock", 1, "old"), key="over-the-change")
    assert (again.status, again.body["id"]) == (202, first.body["id"])
    service.assert_recovers()
    for name in ("web", "sweeper"):
        service.kill(name)
