"""Who gets into the console, and who no longer does."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask import Flask

from moderation.api.access import Who
from moderation.app import create_app
from moderation.console.sign_in import IDLE
from moderation.database import Database
from moderation.models import Moderator
from moderation.services.access import NewModerator, NewSite
from moderation.setting_values import Rate
from tests.conftest import Api, make_settings
from tests.console.conftest import Console, Held

OPEN_TO_ALL = {"console.show_sign_in"}


def test_a_moderators_key_signs_in_and_a_form_signs_out(stranger: Console, bruno: NewModerator) -> None:
    assert "Sign in to the console" in stranger.get("/console")
    answer = stranger.sign_in(bruno.key)
    assert (answer.status_code, answer.location) == (303, "/console/")
    assert "Nothing needs a person." in stranger.get()
    assert stranger.send("/console/sign-out").status_code == 303
    assert "Sign in to the console" in stranger.get("/console")


def test_a_maintainers_key_signs_in_too(stranger: Console, carla: NewModerator) -> None:
    stranger.sign_in(carla.key)
    assert "Carla" in stranger.get()


def test_signing_out_takes_a_form_and_not_just_a_link(console: Console) -> None:
    assert console.client.get("/console/sign-out").status_code == 405
    assert "Queue" in console.get()


@pytest.mark.parametrize("key", ["", "gr_mod_wrong", "\0", "é" * 300])
def test_a_wrong_key_is_told_and_lets_nobody_in(stranger: Console, key: str) -> None:
    answer = stranger.sign_in(key)
    assert answer.status_code in {400, 401}
    assert stranger.client.get("/console/items/item_1").status_code == 401


def test_the_message_for_a_wrong_key_says_what_is_wanted(stranger: Console) -> None:
    answer = stranger.sign_in("gr_mod_wrong")
    assert answer.status_code == 401
    assert "This is no key of a moderator here" in answer.text
    assert "gr_mod_wrong" not in answer.text


def test_a_sites_key_is_no_moderators(stranger: Console, alma: NewSite) -> None:
    assert stranger.sign_in(alma.secret_key).status_code == 401


def test_the_cookie_names_the_moderator_and_never_the_key(stranger: Console, bruno: NewModerator) -> None:
    cookie = stranger.sign_in(bruno.key).headers["Set-Cookie"]
    for part in ("HttpOnly", "SameSite=Lax", "Path=/console", "Expires="):
        assert part in cookie
    assert "Secure" not in cookie
    with stranger.client.session_transaction("/console") as session:
        assert session["moderator"] == bruno.moderator_id
        assert bruno.key not in str(dict(session))


def test_the_cookie_travels_encrypted_only_where_the_public_address_is(
    database_url: str, tmp_path: object, bruno: NewModerator
) -> None:
    app = create_app(make_settings(database_url, tmp_path, PUBLIC_URL="https://talk.example.org"))  # type: ignore[arg-type]
    console = Console(app.test_client())
    page = console.client.get("/console", base_url="https://talk.example.org")
    assert "; Secure" in page.headers["Set-Cookie"]
    app.extensions["greenroom"].database.engine.dispose()


def test_the_cookie_is_marked_too_where_a_proxy_says_that_the_connection_is_encrypted(
    stranger: Console,
) -> None:
    assert "; Secure" in stranger.client.get("/console", base_url="https://localhost").headers["Set-Cookie"]


def test_who_sends_no_cookie_does_not_wait_for_a_signer(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    signer = "flask.sessions.SecureCookieSessionInterface.get_signing_serializer"
    monkeypatch.setattr(signer, lambda *_: pytest.fail("made a signer"))
    assert app.test_client().get("/healthz").status_code == 200


def test_a_disabled_moderator_is_out_at_once(
    console: Console, database: Database, bruno: NewModerator
) -> None:
    console.get()
    with database.write() as session:
        session.get_one(Moderator, bruno.moderator_id).disabled_at = datetime.now(UTC)
    assert console.client.get("/console/items/item_1").status_code == 401
    assert "Sign in to the console" in console.get("/console")


def test_a_session_ends_after_its_hours_however_busy(console: Console) -> None:
    with console.client.session_transaction("/console") as session:
        session["until"] = datetime.now(UTC).timestamp() - 1
    assert console.client.get("/console/items/item_1").status_code == 401


MAINTENANCE = ("model", "promote", "roll_back", "retrain", "site", "policy", "make_key", "revoke", "people")
MAINTENANCE += ("let_in", "shadow", "change_person", "make_moderator_key")


def who_may(endpoint: str) -> Who:
    if endpoint in OPEN_TO_ALL:
        return Who.EVERYBODY
    return Who.MAINTAINER if any(word in endpoint for word in MAINTENANCE) else Who.MODERATOR


def path_of(rule: str) -> str:
    return re.sub(r"<(?:string|int):(\w+)>", "1", rule)


def test_a_moderator_is_told_that_a_page_is_for_maintainers(app: Flask, console: Console) -> None:
    seen = 0
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("console.") and who_may(rule.endpoint) is Who.MAINTAINER:
            path = path_of(rule.rule)
            answer = console.client.get(path) if "GET" in (rule.methods or set()) else console.send(path)
            assert (answer.status_code, "for maintainers" in answer.text) == (403, True), rule.rule
            seen += 1
    assert seen >= 16
    assert "/console/people" not in console.get()


def test_a_session_ends_when_nobody_did_anything_for_long(console: Console) -> None:
    with console.client.session_transaction("/console") as session:
        session["seen"] = datetime.now(UTC).timestamp() - IDLE.total_seconds() - 1
    assert console.client.get("/console/items/item_1").status_code == 401


def test_looking_at_the_counts_is_not_doing_anything(console: Console) -> None:
    long_ago = datetime.now(UTC).timestamp() - IDLE.total_seconds() + 60
    with console.client.session_transaction("/console") as session:
        session["seen"] = long_ago
    console.client.get("/console/counts")
    with console.client.session_transaction("/console") as session:
        assert session["seen"] == long_ago
    console.get()
    with console.client.session_transaction("/console") as session:
        assert session["seen"] > long_ago


def test_a_session_ends_with_the_key_it_began_with(
    api: Api, console: Console, bruno: NewModerator, carla: NewModerator
) -> None:
    people = api.call("GET", "/api/v1/moderators", carla.key).get_json()["items"]
    (key,) = next(one["keys"] for one in people if one["name"] == "Bruno")
    api.call("DELETE", f"/api/v1/keys/{key['key_id']}", carla.key)
    assert console.client.get("/console/items/item_1").status_code == 401


def test_signing_out_gives_back_what_one_held(
    api: Api, console: Console, bruno: NewModerator, held: Held
) -> None:
    item = held()
    console.send(f"/console/items/{item['id']}/claim")
    console.send("/console/sign-out")
    assert api.queue(bruno)[0]["claim"] is None


def test_every_page_but_the_sign_in_wants_a_moderator(app: Flask, stranger: Console) -> None:
    routes = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("console.")]
    assert len(routes) >= 35
    for rule in routes:
        callers = app.view_functions[rule.endpoint].required_callers  # type: ignore[attr-defined]
        assert callers == (who_may(rule.endpoint),)
        if rule.endpoint in OPEN_TO_ALL:
            continue
        path = path_of(rule.rule)
        for method in (rule.methods or set()) & {"GET", "POST"}:
            answer = stranger.client.get(path) if method == "GET" else stranger.send(path)
            assert answer.status_code == (200 if rule.endpoint == "console.show_queue" else 401)
            assert "Sign in to the console" in answer.text


def test_who_was_signed_out_returns_to_the_page_that_was_wanted(
    stranger: Console, bruno: NewModerator
) -> None:
    page = stranger.client.get("/console/items/item_1?reason=spam").text
    assert 'name="wanted" value="/console/items/item_1?reason=spam"' in page
    assert stranger.sign_in(bruno.key, "/console/items/item_1?reason=spam").location.endswith("?reason=spam")


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example/console/",
        "/\\evil.example",
        "/console/../evil",
        "/console@evil.example",
        "/console\r\nX: y",
        "javascript:alert(1)",
        "/api/docs",
    ],
)
def test_a_sign_in_leads_nowhere_else(stranger: Console, bruno: NewModerator, wanted: str) -> None:
    assert stranger.sign_in(bruno.key, wanted).location == "/console/"


@pytest.mark.parametrize("token", [None, "", "wrong", "é"])
def test_a_form_without_its_token_changes_nothing(console: Console, token: str | None) -> None:
    for path in ("/console/sign-out", "/console/items/item_1/decision", "/console/sign-in"):
        answer = console.client.post(path, data={"token": token} if token is not None else {})
        assert answer.status_code == 400
        assert "Nothing was changed" in answer.text
    assert "Queue" in console.get()


def test_too_many_tries_to_sign_in_are_told_to_wait(
    app: Flask, stranger: Console, bruno: NewModerator
) -> None:
    service = app.extensions["greenroom"]
    few = replace(service.settings, rate_guesses=Rate(2, 1_000_000))
    app.extensions["greenroom"] = replace(service, settings=few)
    assert [stranger.sign_in("gr_mod_wrong").status_code for _ in range(2)] == [401, 401]
    refused = stranger.sign_in(bruno.key)
    assert (refused.status_code, refused.mimetype) == (429, "text/html")
    assert "Too many requests" in refused.text
    assert int(refused.headers["Retry-After"]) > 0
    assert stranger.client.get("/console/sign-in").status_code == 200
