"""Too many: comments of a site, comments from an address, unknown keys"""

import re
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from moderation.api.limits import address_prefix, charge_submission, rate_limited
from moderation.api.problems import Problem
from moderation.models import KeyKind
from moderation.rates import Charge, Refusal
from moderation.services.access import NewModerator, NewSite, SiteCaller
from moderation.setting_values import Rate
from tests.conftest import ORIGIN, Api

# So long that no window ends during a test.
WINDOW = 1_000_000
COMMENT = {"thread": {"id": "first-post"}, "author": {"name": "Reader"}, "body": "A kind word."}
FORM = {"thread_id": "first-post", "author_name": "Reader", "body": "A kind word."}


def allow(app: Flask, **amounts: int | None) -> None:
    """Set the rates of this test: so many for the length of the test."""
    rates = {f"rate_{name}": amount and Rate(amount, WINDOW) for name, amount in amounts.items()}
    service = app.extensions["greenroom"]
    app.extensions["greenroom"] = replace(service, settings=replace(service.settings, **rates))


def from_browser(api: Api, alma: NewSite, address: str = "192.0.2.7", **more: Any) -> TestResponse:
    headers = {"Origin": ORIGIN, "X-Site-Key": alma.public_key}
    where = {"REMOTE_ADDR": address}
    return api.client.post("/api/v1/comments", json=COMMENT, headers=headers, environ_base=where, **more)


def from_server(api: Api, alma: NewSite) -> TestResponse:
    return api.call("POST", "/api/v1/comments", alma.secret_key, json=COMMENT)


def from_form(api: Api, alma: NewSite, accept: str) -> TestResponse:
    headers = {"Origin": ORIGIN, "Accept": accept}
    return api.client.post("/api/v1/comments", data={**FORM, "site_key": alma.public_key}, headers=headers)


def test_a_site_is_refused_what_is_over_its_rate(app: Flask, api: Api, alma: NewSite) -> None:
    allow(app, site=2)
    assert [from_server(api, alma).status_code for _ in range(3)] == [202, 202, 429]


def test_the_answer_says_how_long_to_wait(app: Flask, api: Api, alma: NewSite) -> None:
    allow(app, site=1)
    from_server(api, alma)
    answer = from_server(api, alma)
    problem = answer.get_json()
    assert (answer.status_code, answer.mimetype) == (429, "application/problem+json")
    assert problem["type"] == "urn:greenroom:problem:rate-limited"
    assert problem["limit"] == "site"
    seconds = int(answer.headers["Retry-After"])
    assert 0 < seconds <= 2 * WINDOW
    assert problem["detail"] == f"try again in {seconds} seconds"
    assert answer.headers["RateLimit-Policy"] == f'"site";q=1;w={WINDOW}'
    assert answer.headers["RateLimit"] == f'"site";r=0;t={seconds}'


def test_nothing_is_stored_of_what_is_refused(
    app: Flask, api: Api, alma: NewSite, wake_ups: Any, database: Any
) -> None:
    allow(app, site=1)
    from_server(api, alma)
    from_server(api, alma)
    with database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM comments").scalar() == 1
    assert wake_ups.scoring == 1


def test_browsers_of_one_network_share_a_rate_and_others_are_not_touched(
    app: Flask, api: Api, alma: NewSite
) -> None:
    allow(app, address=2)
    assert from_browser(api, alma, "192.0.2.7").status_code == 202
    assert from_browser(api, alma, "192.0.2.250").status_code == 202
    assert from_browser(api, alma, "192.0.2.9").status_code == 429
    assert from_browser(api, alma, "192.0.3.7").status_code == 202
    for _ in range(2):
        assert from_browser(api, alma, "2001:db8:1:2::3").status_code == 202
    assert from_browser(api, alma, "2001:db8:1:ffff::1").status_code == 429
    assert from_browser(api, alma, "2001:db8:2::1").status_code == 202


def test_a_reader_who_floods_does_not_use_up_the_sites_rate(app: Flask, api: Api, alma: NewSite) -> None:
    allow(app, address=1, site=3)
    answers = [from_browser(api, alma, "192.0.2.7") for _ in range(10)]
    assert [answer.headers.get("RateLimit", "").partition(";")[0] for answer in answers] == [
        "",
        *['"address"'] * 9,
    ]
    assert [from_browser(api, alma, f"198.51.{n}.1").status_code for n in range(3)] == [202, 202, 429]


def test_a_sites_server_speaks_for_all_its_readers(app: Flask, api: Api, alma: NewSite) -> None:
    allow(app, address=1)
    assert [from_server(api, alma).status_code for _ in range(5)] == [202] * 5


def test_an_edit_counts_as_a_comment(app: Flask, api: Api, alma: NewSite) -> None:
    comment = api.hand_in(alma)
    allow(app, site=1)
    path = f"/api/v1/comments/{comment['id']}"
    assert api.call("PUT", path, alma.secret_key, json={"body": "Better."}).status_code == 202
    refused = api.call("PUT", path, alma.secret_key, json={"body": "Still better."})
    assert refused.status_code == 429
    assert api.call("GET", path, alma.secret_key).get_json()["body"] == "Better."


def test_reading_and_withdrawing_are_never_refused(app: Flask, api: Api, alma: NewSite) -> None:
    comment = api.hand_in(alma)
    allow(app, site=1, address=1, guesses=1)
    for _ in range(5):
        assert api.call("GET", f"/api/v1/comments/{comment['id']}", alma.secret_key).status_code == 200
    assert api.call("DELETE", f"/api/v1/comments/{comment['id']}", alma.secret_key).status_code == 204


def test_a_form_gets_a_page_that_gives_the_text_back(app: Flask, api: Api, alma: NewSite) -> None:
    allow(app, address=1)
    assert from_form(api, alma, "text/html").status_code == 303
    page = from_form(api, alma, "text/html,*/*;q=0.8")
    assert (page.status_code, page.mimetype) == (429, "text/html")
    assert re.search(r"Too many requests", page.text)
    assert "try again in" in page.text
    assert "A kind word." in page.text
    assert int(page.headers["Retry-After"]) > 0
    assert page.headers["RateLimit-Policy"].startswith('"address"')
    assert from_form(api, alma, "application/json").mimetype == "application/problem+json"


def test_a_page_of_the_blog_may_read_how_long_to_wait(app: Flask, api: Api, alma: NewSite) -> None:
    allow(app, address=1)
    from_browser(api, alma)
    refused = from_browser(api, alma)
    assert refused.headers["Access-Control-Allow-Origin"] == ORIGIN
    exposed = refused.headers["Access-Control-Expose-Headers"].split(", ")
    assert {"Retry-After", "RateLimit", "RateLimit-Policy"} <= set(exposed)


def test_unknown_keys_are_refused_after_some_and_a_known_one_never(
    app: Flask, api: Api, alma: NewSite, bruno: NewModerator
) -> None:
    allow(app, keys=2)
    answers = [api.call("GET", "/api/v1/stats", f"gr_mod_{n}") for n in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 429, 429]
    assert answers[2].headers["RateLimit-Policy"].startswith('"keys"')
    assert from_server(api, alma).status_code == 202
    assert api.call("GET", "/api/v1/stats", bruno.key).status_code == 200
    # No key is no guess.
    assert api.call("GET", "/api/v1/stats").status_code == 401


def test_every_limit_can_be_switched_off(app: Flask, api: Api, alma: NewSite) -> None:
    allow(app, site=None, address=None, guesses=None)
    assert [from_browser(api, alma).status_code for _ in range(70)] == [202] * 70
    assert {api.call("GET", "/api/v1/stats", "wrong").status_code for _ in range(40)} == {401}


def test_many_comments_at_once_cost_as_many(app: Flask, alma: NewSite) -> None:
    allow(app, site=10)
    caller = SiteCaller(alma.site_id, KeyKind.SITE_SECRET, ())
    with app.test_request_context():
        charge_submission(caller, 7)
        with pytest.raises(Problem) as refused:
            charge_submission(caller, 7)
        assert refused.value.headers["RateLimit"].startswith('"site";r=3;')
        charge_submission(caller, 3)


@given(address=st.ip_addresses())
def test_every_address_has_a_prefix(application: Flask, address: object) -> None:
    with application.test_request_context(environ_base={"REMOTE_ADDR": str(address)}):
        assert re.fullmatch(r"[\d.]+\.0/24|[0-9a-f:]+::/48|::/48", address_prefix())


@pytest.mark.parametrize("address", ["", "unix:", "somewhere"])
def test_all_without_an_address_share_one_rate(application: Flask, address: str) -> None:
    with application.test_request_context(environ_base={"REMOTE_ADDR": address}):
        assert address_prefix() == "unknown"


def test_a_wait_is_told_in_whole_seconds_and_never_as_none() -> None:
    charge = Charge("site", Rate(60, 60), "site_1")
    assert rate_limited(Refusal(charge, 0, 0.01)).headers["Retry-After"] == "1"
    assert rate_limited(Refusal(charge, 0, 1.01)).headers["Retry-After"] == "2"
    assert rate_limited(Refusal(charge, 0, 0.0)).detail == "try again in 1 second"
