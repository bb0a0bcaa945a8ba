"""Where webhooks may go: not into one's own network, whatever a name or a redirect says"""

import socket
import threading
import time

import pytest

from moderation.webhook_addresses import BadAddress, check_url, is_public
from tests.webhooks.receiver import receiving
from workers.webhook_sending import Sender

PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "224.0.0.1", "255.255.255.255", "240.0.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1",
    "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "2002:7f00:1::", "::127.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_no_address_of_a_private_network_is_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111", "64:ff9b::5db8:d822"])
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


def test_an_answer_a_drop_at_a_time_is_cut_off() -> None:
    listening = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        connection, _ = listening.accept()
        with connection:
            for _ in range(100):
                try:
                    connection.sendall(b"H")
                except OSError:
                    return
                time.sleep(0.1)

    threading.Thread(target=drip, daemon=True).start()
    began = time.monotonic()
    port = listening.getsockname()[1]
    answer = Sender(private=True, total_seconds=0.6).send(f"http://127.0.0.1:{port}/", {}, b"{}")
    assert answer.status is None
    assert time.monotonic() - began < 3
    listening.close()


def test_no_proxy_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with receiving() as inside:
        assert Sender(private=True).send(inside.url, {}, b"{}").succeeded
