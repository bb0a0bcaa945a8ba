"""Who the client is when proxies stand between, and what nobody can make us believe"""

import ipaddress
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask, request
from hypothesis import given
from hypothesis import strategies as st

from moderation.api.proxies import BehindProxies, client_address, is_one_of, read_address
from moderation.app import create_app
from moderation.database import Database
from moderation.models import Comment
from moderation.services.access import NewSite
from moderation.setting_values import networks
from moderation.settings import Settings
from tests.conftest import ORIGIN, Api

OURS = networks("10.0.0.0/8, 2001:db8::/32")
PROXY, CLIENT = "10.0.0.1", "192.0.2.7"


def seen(header: str = "x-forwarded-for", peer: str = PROXY, **headers: str) -> dict[str, str]:
    """What the application sees of a request with these headers."""
    app = Flask("seen")

    @app.get("/")
    def show() -> dict[str, str | None]:
        return {"address": request.remote_addr, "scheme": request.scheme, "host": request.host}

    app.wsgi_app = BehindProxies(app.wsgi_app, OURS, header)  # type: ignore[method-assign]
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    found: dict[str, str] = app.test_client().get("/", headers=sent, environ_base={"REMOTE_ADDR": peer}).json
    return found


@pytest.mark.parametrize(
    ("told", "address"),
    [
        (CLIENT, CLIENT),
        (f"{CLIENT}:4711", CLIENT),
        (f"1.1.1.1, {CLIENT}", CLIENT),
        (f"1.1.1.1, {CLIENT}, 10.0.0.2, 10.0.0.3", CLIENT),
        ("2a00::7", "2a00::7"),
        ("[2a00::7]:4711", "2a00::7"),
        (f"::ffff:{CLIENT}", CLIENT),
        ("10.0.0.5, 10.0.0.2", "10.0.0.5"),
        ("", PROXY),
        ("unknown", PROXY),
        (f"{CLIENT}, unknown", PROXY),
        (f"{CLIENT}, garbage, 10.0.0.9", "10.0.0.9"),
        (f"{CLIENT},", PROXY),
        ("192.0.2.7.8", PROXY),
        ("192.0.2.07", PROXY),
    ],
)
def test_the_last_address_that_is_not_ours_is_the_client(told: str, address: str) -> None:
    assert seen(X_Forwarded_For=told)["address"] == address


@pytest.mark.parametrize(
    ("told", "address"),
    [
        (f"for={CLIENT}", CLIENT),
        (f"For={CLIENT};proto=https;by=10.0.0.1", CLIENT),
        (f'for=1.1.1.1, for="{CLIENT}:80";host=blog.example, for=10.0.0.3', CLIENT),
        ('for="[2a00::7]:4711"', "2a00::7"),
        ('for="[2a00::7]"', "2a00::7"),
        ("for=_hidden", PROXY),
        ("for=unknown", PROXY),
        ("proto=https", PROXY),
        ('for="192.0.2.7', CLIENT),
        ('for="1.1.1.1, for=192.0.2.7', PROXY),
    ],
)
def test_the_standard_header_is_read_where_it_is_chosen(told: str, address: str) -> None:
    assert seen("forwarded", Forwarded=told)["address"] == address


def test_only_the_chosen_header_is_read_for_a_proxy_hands_on_the_other() -> None:
    assert seen(Forwarded="for=1.1.1.1", X_Forwarded_For=CLIENT)["address"] == CLIENT
    assert seen("forwarded", Forwarded=f"for={CLIENT}", X_Forwarded_For="1.1.1.1")["address"] == CLIENT


@pytest.mark.parametrize("peer", [CLIENT, "11.0.0.1", "2a00::1"])
def test_who_is_no_trusted_proxy_is_not_believed(peer: str) -> None:
    told = seen(
        peer=peer, X_Forwarded_For="1.1.1.1", X_Forwarded_Proto="https", X_Forwarded_Host="evil.example"
    )
    assert told == {"address": peer, "scheme": "http", "host": "localhost"}


def test_a_proxy_that_speaks_ipv4_over_ipv6_is_known() -> None:
    assert seen(peer=f"::ffff:{PROXY}", X_Forwarded_For=CLIENT)["address"] == CLIENT


def test_scheme_and_host_are_those_the_nearest_proxy_saw() -> None:
    told = seen(
        X_Forwarded_For=CLIENT, X_Forwarded_Proto="http, https", X_Forwarded_Host="a.example, b.example:8443"
    )
    assert told == {"address": CLIENT, "scheme": "https", "host": "b.example:8443"}
    told = seen("forwarded", Forwarded=f'for=1.1.1.1;proto=http, for={CLIENT};proto=https;host="b.example"')
    assert told == {"address": CLIENT, "scheme": "https", "host": "b.example"}


@pytest.mark.parametrize("host", ["evil.example/path", "a b", "user@evil.example", "", "x" * 300, "ünicode"])
def test_a_host_that_cannot_be_one_is_ignored(host: str) -> None:
    assert (
        seen(X_Forwarded_For=CLIENT, X_Forwarded_Host=host.encode().decode("latin-1"))["host"] == "localhost"
    )


def test_a_scheme_that_is_none_of_the_webs_is_ignored() -> None:
    assert seen(X_Forwarded_For=CLIENT, X_Forwarded_Proto="javascript")["scheme"] == "http"


addresses = st.ip_addresses().map(str)
outside = st.ip_addresses().filter(
    lambda a: (m := read_address(str(a))) is not None and not is_one_of(m, OURS)
)
inside = st.ip_addresses(network="10.0.0.0/8") | st.ip_addresses(network="2001:db8::/32")
anything = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60)


@given(peer=outside, told=st.lists(anything | addresses))
def test_a_stranger_is_always_taken_for_who_he_is(peer: Any, told: list[str]) -> None:
    assert client_address(peer, told, OURS) == peer


@given(forged=st.lists(anything | addresses), client=outside, proxies=st.lists(inside, max_size=4))
def test_whatever_a_client_sends_the_first_trusted_proxy_saw_its_address(
    forged: list[str], client: Any, proxies: list[Any]
) -> None:
    told = [*forged, str(client), *map(str, proxies)]
    assert client_address(ipaddress.ip_address(PROXY), told, OURS) == read_address(str(client))


@given(told=anything, header=st.sampled_from(["x-forwarded-for", "forwarded"]), proto=anything, host=anything)
def test_no_header_is_an_error_and_the_address_is_always_one(
    told: str, header: str, proto: str, host: str
) -> None:
    environ = {"REMOTE_ADDR": PROXY, "HTTP_FORWARDED": told, "HTTP_X_FORWARDED_FOR": told}
    environ |= {"HTTP_X_FORWARDED_PROTO": proto, "HTTP_X_FORWARDED_HOST": host, "wsgi.url_scheme": "http"}
    BehindProxies(lambda *_: [], OURS, header)(environ, None)
    ipaddress.ip_address(environ["REMOTE_ADDR"])
    assert environ["wsgi.url_scheme"] in {"http", "https"}
    assert not set(environ.get("HTTP_HOST", "")) & set("/@ \\?#")


@given(text=st.text(max_size=60))
def test_what_is_read_as_an_address_is_one(text: str) -> None:
    assert isinstance(read_address(text), ipaddress.IPv4Address | ipaddress.IPv6Address | None)


def test_the_clients_address_is_stored_and_counted(
    settings: Settings, database: Database, alma: NewSite
) -> None:
    behind = replace(settings, trusted_proxies=networks("127.0.0.1"), rate_address=None)
    app = create_app(behind)
    headers = {"Origin": ORIGIN, "X-Site-Key": alma.public_key, "X-Forwarded-For": f"1.1.1.1, {CLIENT}"}
    comment = {"thread": {"id": "first-post"}, "author": {"name": "Reader"}, "body": "A kind word."}
    answer = app.test_client().post("/api/v1/comments", json=comment, headers=headers)
    app.extensions["greenroom"].database.engine.dispose()
    with database.read() as session:
        assert session.get_one(Comment, answer.get_json()["id"]).author["ip"] == CLIENT


def test_without_the_setting_the_connection_is_the_client(
    api: Api, alma: NewSite, database: Database
) -> None:
    headers = {"Origin": ORIGIN, "X-Site-Key": alma.public_key, "X-Forwarded-For": CLIENT}
    comment = {"thread": {"id": "first-post"}, "author": {"name": "Reader"}, "body": "A kind word."}
    answer = api.client.post("/api/v1/comments", json=comment, headers=headers)
    with database.read() as session:
        assert session.get_one(Comment, answer.get_json()["id"]).author["ip"] == "127.0.0.1"
