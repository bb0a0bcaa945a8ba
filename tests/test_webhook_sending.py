"""Where webhooks may go: not into one's own network, whatever a name or a redirect says"""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from moderation.domain.webhooks import LONGEST_WAIT
from moderation.services.webhook_deliveries import Answer
from moderation.webhook_addresses import BadAddress, check_url, is_public
from tests.webhooks.receiver import receiving
from workers import webhook_sending
from workers.webhook_sending import Sender, retry_after_seconds

PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "224.0.0.1", "255.255.255.255", "240.0.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1",
    "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "2002:7f00:1::", "::127.0.0.1",
    # Networks of one's own that the registries do not call private.
    "64:ff9b:1::808:808", "64:ff9b:1:ffff::1", "fec0::1", "feff::1", "5f00::1", "3fff::1",
    # What clouds answer every machine on.
    "168.63.129.16", "::ffff:168.63.129.16", "64:ff9b::a83f:8110", "2002:a83f:8110::1", "192.0.0.192",
    "100.100.100.200",
    # IPv4 in other clothes: mapped, 6to4, Teredo, translated.
    "::ffff:192.168.0.1", "2002:c0a8:1::1", "2002:a9fe:a9fe::1", "2001::ffff:f5ff:fffe",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2", "::ffff:0:10.0.0.1", "192.88.99.1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_no_address_of_a_private_network_is_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "93.184.216.34", "168.63.129.17", "2606:4700::1111", "2a00:1450::1", "64:ff9b::5db8:d822",
        "2002:5db8:d822::1", "::ffff:93.184.216.34",
    ],
)  # fmt: skip
def test_addresses_of_the_internet_are(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/", "file:///etc/passwd", "https://", "https://user:word@example.org/",
        "http://127.0.0.1/", "http://[::1]/", "http://[::ffff:10.0.0.1]/", "https://example.org:22/",
        "https://example.org:99999/", "https://example.org/\r\nHost: other", "https://example.org/#part",
    ],
)  # fmt: skip
def test_a_url_that_must_not_be_is_refused(url: str) -> None:
    with pytest.raises(BadAddress):
        check_url(url, private=False)


def test_a_name_that_leads_into_a_private_network_is_not_called() -> None:
    with receiving() as inside:
        url = inside.url.replace("127.0.0.1", "blog.example.org")
        sender = Sender(resolve=lambda _host, _port: ["93.184.216.34", "127.0.0.1"])
        answer = sender.send(url, {}, b"{}")
        assert (answer.status, answer.trouble) == (None, "the address leads into a private network")
        assert inside.requests == []


@pytest.mark.parametrize("written", ["2130706433", "0x7f000001", "127.1", "localhost"])
def test_other_ways_to_write_this_machine_are_seen_through(written: str) -> None:
    with receiving() as inside:
        answer = Sender().send(inside.url.replace("127.0.0.1", written), {}, b"{}")
        assert answer.status is None
        assert inside.requests == []


def test_a_name_is_looked_up_once_so_that_it_cannot_change_after_the_check(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers, called = iter([["93.184.216.34"], ["127.0.0.1"]]), []

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        called.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    sender = Sender(resolve=lambda _host, _port: next(answers))
    assert sender.send("http://blog.example.org/", {}, b"{}").status is None
    assert called == ["93.184.216.34"]
    assert (
        sender.send("http://blog.example.org/", {}, b"{}").trouble
        == "the address leads into a private network"
    )
    assert called == ["93.184.216.34"]


Talk = Callable[[socket.socket], None]


def drip(connection: socket.socket) -> None:
    """Send a drop at a time, for ever."""
    with connection, suppress(OSError):
        while True:
            connection.sendall(b"H")
            time.sleep(0.1)


def answer_and_drip(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
    drip(connection)


def say_nothing(connection: socket.socket) -> None:
    with connection, suppress(OSError):
        while connection.recv(65536):
            pass


@contextmanager
def talking(talk: Talk, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server that talks like that to everybody; gives its port."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                connection = tls.wrap_socket(connection, server_side=True) if tls else connection
                threading.Thread(target=talk, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    with listening:
        yield listening.getsockname()[1]


@pytest.fixture
def tls(monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """Of a server whose authority is trusted here."""
    authority, trust = trustme.CA(), ssl.create_default_context()
    authority.configure_trust(trust)
    monkeypatch.setattr(webhook_sending, "_trust", lambda: trust)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


def timed(url: str, **more: Any) -> tuple[Answer, float]:
    began = time.monotonic()
    answer = Sender(private=True, **{"total_seconds": 0.6} | more).send(url, {}, b"{}")
    return answer, time.monotonic() - began


@pytest.mark.parametrize("secure", [False, True])
def test_an_answer_a_drop_at_a_time_is_cut_off(tls: ssl.SSLContext, secure: bool) -> None:
    scheme = "https" if secure else "http"
    with talking(drip, tls if secure else None) as port:
        answer, seconds = timed(f"{scheme}://localhost:{port}/")
    assert (answer.status, answer.trouble) == (None, "no answer in time")
    assert seconds < 1.5


@pytest.mark.parametrize("secure", [False, True])
def test_a_body_without_end_is_not_waited_for_and_the_status_counts(
    tls: ssl.SSLContext, secure: bool
) -> None:
    scheme = "https" if secure else "http"
    with talking(answer_and_drip, tls if secure else None) as port:
        answer, seconds = timed(f"{scheme}://localhost:{port}/")
    assert answer.succeeded
    assert seconds < 1.5


@pytest.mark.parametrize("talk", [drip, say_nothing])
def test_a_tls_handshake_without_end_is_cut_off(talk: Talk) -> None:
    with talking(talk) as port:
        answer, seconds = timed(f"https://localhost:{port}/")
    assert answer.status is None
    assert seconds < 1.5


def test_a_look_up_without_end_is_given_up() -> None:
    ended = threading.Event()

    def resolve(_host: str, _port: int) -> list[str]:
        ended.wait(10)
        return ["127.0.0.1"]

    answer, seconds = timed("http://blog.example.org/", resolve=resolve, connect_seconds=0.3)
    ended.set()
    assert answer.trouble == "no answer in time"
    assert seconds < 1.5


def test_a_name_that_is_not_found_says_so() -> None:
    def resolve(_host: str, _port: int) -> list[str]:
        raise socket.gaierror

    assert timed("http://blog.example.org/", resolve=resolve)[0].trouble == "the name was not found"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("9" * 5000, LONGEST_WAIT),
        ("-5", None),
        ("1e400", None),
        ("", None),
        ("soon", None),
        ("Sun, 01 Nov 2026 00:02:00 GMT", 120.0),
        ("Sun, 01 Nov 2026 00:02:00", 120.0),
        ("Sat, 31 Oct 2026 00:00:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_WAIT),
        ("Fri, 31 Dec 9999 23:59:59 -9999", None),
        ("Fri, 31 Dec 99999 23:59:59 GMT", None),
        (f"Mon, 01 Jan {'9' * 30} 00:00:00 GMT", None),
        (f"Mon, {'9' * 30} Jan 2026 00:00:00 GMT", None),
        ("Mon, 01 Jan 2026 99:99:99 GMT", None),
    ],
)
def test_a_receiver_may_ask_for_a_day_at_most_and_what_cannot_be_is_ignored(
    text: str, seconds: float | None
) -> None:
    assert retry_after_seconds(text, datetime(2026, 11, 1, tzinfo=UTC)) == seconds


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d+ (Jan|Feb) \d+ \d+:\d+:\d+ [+-]?\w*"))
def test_no_wish_for_time_is_an_error(text: str) -> None:
    seconds = retry_after_seconds(text, datetime(2026, 11, 1, tzinfo=UTC))
    assert seconds is None or 0 <= seconds <= LONGEST_WAIT


def test_an_answer_that_asks_for_the_impossible_is_an_answer() -> None:
    with receiving() as receiver:
        receiver.status = 503
        receiver.headers = {"Retry-After": f"Mon, 01 Jan {'9' * 30} 00:00:00 GMT"}
        answer = Sender(private=True).send(receiver.url, {}, b"{}")
    assert (answer.status, answer.retry_after) == (503, None)


def test_no_proxy_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with receiving() as inside:
        assert Sender(private=True).send(inside.url, {}, b"{}").succeeded
