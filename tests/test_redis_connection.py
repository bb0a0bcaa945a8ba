"""Every form of REDIS_URL with real servers: TLS that checks certificates, Sentinel that changes masters."""

import signal
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from redis import Redis
from redis.exceptions import ConnectionError as RedisAway
from redis.exceptions import RedisError

from moderation.jobs import Jobs, open_jobs, worker_connection
from moderation.redis_connection import MasterTlsConnection, connect
from tests.processes.running import wait_until
from tests.redis_servers import SERVICE, Watched, tls_door, watched_servers

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


def certified(authority: trustme.CA, name: str) -> ssl.SSLContext:
    """What a server of this name shows."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    return context


@pytest.fixture(scope="module")
def tls_port(authority: trustme.CA, redis_url: str) -> Iterator[int]:
    with tls_door(certified(authority, "localhost"), redis_url.removeprefix("unix://")) as port:
        yield port


def test_jobs_and_workers_speak_tls_to_a_server_whose_certificate_is_known(
    tls_port: int, ca_file: Path, redis_url: str
) -> None:
    with Redis.from_url(redis_url) as plain:
        plain.flushall()
        url = f"rediss://localhost:{tls_port}/0?ssl_ca_certs={ca_file}"
        assert open_jobs(url).wake_scoring()
        with worker_connection(url) as worker:
            assert worker.llen("rq:queue:scoring") == plain.llen("rq:queue:scoring") == 1
        plain.flushall()


def test_a_certificate_of_nobody_known_is_refused(tls_port: int) -> None:
    url = f"rediss://localhost:{tls_port}/0"
    with connect(url, connect_seconds=5) as client, pytest.raises(RedisAway, match="verify failed"):
        client.ping()
    assert not open_jobs(url).wake_scoring()


def test_a_certificate_for_another_host_is_refused(
    authority: trustme.CA, ca_file: Path, redis_url: str
) -> None:
    context = certified(authority, "redis.example.org")
    with tls_door(context, redis_url.removeprefix("unix://")) as port:
        url = f"rediss://localhost:{port}/0?ssl_ca_certs={ca_file}"
        with (
            connect(url, connect_seconds=5) as client,
            pytest.raises(RedisAway, match="ostname mismatch"),
        ):
            client.ping()


def test_sentinels_and_master_get_the_options_of_the_url() -> None:
    # No server of the packages for tests speaks TLS by itself, so a sentinel could not watch it there.
    url = "rediss+sentinel://user:p%40ss@[::1],two:26380/my-master/3?ssl_ca_certs=/ca.pem&sentinel_password=other"
    pool: Any = connect(url, connect_seconds=1).connection_pool
    wanted = {"username": "user", "password": "p@ss", "db": 3, "ssl_ca_certs": "/ca.pem"}
    assert wanted.items() <= pool.connection_kwargs.items()
    assert (pool.connection_class, pool.service_name) == (MasterTlsConnection, "my-master")
    of_sentinels = [sentinel.get_connection_kwargs() for sentinel in pool.sentinel_manager.sentinels]
    assert [(kw["host"], kw["port"]) for kw in of_sentinels] == [("::1", 26379), ("two", 26380)]
    for kwargs in of_sentinels:
        assert (kwargs["password"], kwargs["username"]) == ("other", None)
        assert (kwargs["ssl_ca_certs"], kwargs["ssl_cert_reqs"]) == ("/ca.pem", "required")
        assert kwargs["retry"].get_retries() == 0


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with watched_servers(tmp_path_factory.mktemp("watched")) as servers:
        yield servers


def test_the_sentinel_leads_to_the_master_and_the_database_asked_for(watched: Watched) -> None:
    with connect(watched.url, connect_seconds=5) as client:
        client.set("here", "yes")
    with Redis(port=watched.master(), password="secret", db=2) as direct:
        assert direct.get("here") == b"yes"


def test_a_master_that_was_demoted_is_left_for_the_new_one(watched: Watched) -> None:
    jobs = open_jobs(watched.url)
    assert jobs.ping()
    old = watched.switch_over()
    watched.wait_for_another_master(old)
    with Redis(port=watched.master(), password="secret", db=2) as direct:
        # For a moment both take commands, and what the old one takes then is forgotten.
        wait_until(lambda: wakes(jobs) and direct.llen("rq:queue:scoring") > 0)
    watched.wait_for_replica()


def test_a_dead_master_is_replaced_and_meanwhile_nobody_waits_for_it(watched: Watched) -> None:
    jobs = open_jobs(watched.url)
    assert jobs.ping()
    old = watched.kill_master()
    assert not wakes(jobs)
    watched.wait_for_another_master(old)
    wait_until(lambda: wakes(jobs))


def test_a_connection_whose_answer_was_not_waited_for_is_not_used_again(watched: Watched) -> None:
    with connect(watched.url, connect_seconds=5) as client:
        client.set("mine", "yes")

        def stop(*_: object) -> None:
            raise KeyboardInterrupt

        before = signal.signal(signal.SIGALRM, stop)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with pytest.raises(KeyboardInterrupt):
                client.blpop("nothing comes", timeout=60)
        finally:
            signal.signal(signal.SIGALRM, before)
        assert client.get("mine") == b"yes"


def test_a_service_no_sentinel_knows_is_an_ordinary_outage(watched: Watched) -> None:
    url = watched.url.replace(SERVICE, "another")
    assert not open_jobs(url).wake_scoring()
    with connect(url, connect_seconds=1) as client, pytest.raises(RedisError):
        client.ping()


def wakes(jobs: Jobs) -> bool:
    """Whether a job was queued, though one may have been before."""
    try:
        jobs.redis.delete("greenroom:scoring:awake")
    except RedisError:
        return False
    return jobs.wake_scoring()
