"""The whole service on a Redis watched by Sentinel: the master changes while comments come in."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from tests.processes.running import Service, running_service, wait_until
from tests.processes.test_service import KIND, all_decided_once, hand_in_many
from tests.redis_servers import Watched, watched_servers

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with watched_servers(tmp_path_factory.mktemp("watched")) as servers:
        yield servers


@pytest.fixture(scope="module")
def service(watched: Watched, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("service") / "home"
    with running_service(home, REDIS_URL=watched.url, SCORING_SECONDS="3") as running:
        yield running


@pytest.mark.parametrize("change", [Watched.switch_over, Watched.kill_master], ids=["switched", "killed"])
def test_nothing_is_lost_when_the_master_changes_and_scoring_goes_on(
    service: Service, watched: Watched, change: Callable[[Watched], int]
) -> None:
    ids = hand_in_many(service, 20, f"before {change.__name__}")
    with ThreadPoolExecutor(1) as pool:
        old = change(watched)
        while_changing = pool.submit(hand_in_many, service, 200, f"during {change.__name__}")
        watched.wait_for_another_master(old)
        ids += while_changing.result()
    ids += hand_in_many(service, 20, f"after {change.__name__}")
    wait_until(lambda: all_decided_once(service, ids))
    # Workers pause before they connect again; from then on callers get their decision while they wait.
    wait_until(lambda: waiting_workers(watched.master()) == 2)
    wait_until(lambda: service.hand_in(KIND.format("afterwards"), Prefer="wait=2")[0] == 200)
    if change is Watched.switch_over:
        watched.wait_for_replica()


def waiting_workers(port: int) -> int:
    """How many workers wait for a job at the server of this port."""
    with Redis(port=port, password="secret") as redis:
        return int(redis.info("clients")["blocked_clients"])
