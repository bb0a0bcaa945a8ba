"""POST /api/v1/comments"""

import json
from collections.abc import Callable
from io import BytesIO

import pytest

from moderation.services.access import NewModerator, NewSite
from tests.conftest import ORIGIN, Api
from tests.fakes import FakeWakeUps

PATH = "/api/v1/comments"
COMMENT = {"thread": {"id": "first-post"}, "author": {"name": "Reader"}, "body": "A kind word."}


def test_it_accepts_a_comment_and_wakes_a_worker(api: Api, alma: NewSite, wake_ups: FakeWakeUps) -> None:
    answer = api.call("POST", PATH, alma.secret_key, json=COMMENT)
    assert answer.status_code == 202
    body = answer.get_json()
    assert body["status"] == "pending"
    assert answer.headers["Location"] == f"{PATH}/{body['id']}" == body["links"]["self"]
    assert wake_ups.scoring == 1


def test_it_is_decided_once_a_worker_ran(api: Api, alma: NewSite, drain: Callable[[], int]) -> None:
    kind = api.hand_in(alma)["id"]
    doubtful = api.hand_in(alma, "score:spam=0.7")["id"]
    spam = api.hand_in(alma, "score:spam=0.95")["id"]
    assert drain() == 3
    assert api.fate(alma, kind) == ("approved", "clean")
    assert api.fate(alma, doubtful) == ("held", "spam")
    assert api.fate(alma, spam) == ("rejected", "spam")


def test_a_body_in_chunks_of_no_told_length_is_taken_in(api: Api, alma: NewSite) -> None:
    answer = api.call(
        "POST",
        PATH,
        alma.secret_key,
        input_stream=BytesIO(json.dumps(COMMENT).encode()),
        content_type="application/json",
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert answer.status_code == 202


def test_a_body_that_ends_before_its_told_length_is_not_taken_in(api: Api, alma: NewSite) -> None:
    body = json.dumps(COMMENT).encode()
    told = {"CONTENT_LENGTH": str(len(body) + 1)}
    answer = api.call(
        "POST",
        PATH,
        alma.secret_key,
        input_stream=BytesIO(body),
        content_type="application/json",
        environ_overrides=told,
    )
    assert (answer.status_code, answer.get_json()["type"]) == (400, "urn:greenroom:problem:malformed")


def test_the_public_key_works_from_an_allowed_origin_only(api: Api, alma: NewSite) -> None:
    key = {"X-Site-Key": alma.public_key}
    assert api.call("POST", PATH, json=COMMENT, headers=key | {"Origin": ORIGIN}).status_code == 202
    for headers in (key, key | {"Origin": "https://evil.example"}):
        answer = api.call("POST", PATH, json=COMMENT, headers=headers)
        assert (answer.status_code, answer.get_json()["type"]) == (
            403,
            "urn:greenroom:problem:origin-not-allowed",
        )


def test_no_key_and_an_unknown_key_are_401(api: Api, alma: NewSite) -> None:
    assert api.call("POST", PATH, json=COMMENT).status_code == 401
    assert api.call("POST", PATH, "gr_secret_nobody", json=COMMENT).status_code == 401


def test_a_moderators_key_is_the_wrong_role(api: Api, alma: NewSite, bruno: NewModerator) -> None:
    assert api.call("POST", PATH, bruno.key, json=COMMENT).status_code == 403


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"body": ""}, "/body"),
        ({"body": "  \n "}, "/body"),
        ({"body": "x" * 20_001}, "/body"),
        ({"body": "nul \0 here"}, "/body"),
        ({"body": "lone \ud800 surrogate"}, "/body"),
        ({"body": 7}, "/body"),
        ({"body": None}, "/body"),
        ({"thread": {}}, "/thread/id"),
        ({"thread": "first-post"}, "/thread"),
        ({"author": {"name": "x" * 201}}, "/author/name"),
        ({"author": {"name": "A", "ip": "not an address"}}, "/author/ip"),
        ({"author": {"name": "A", "shoe_size": 43}}, "/author/shoe_size"),
        ({"unknown": 1}, "/unknown"),
    ],
)
def test_bad_members_are_named_and_nothing_is_stored(
    api: Api, alma: NewSite, drain: Callable[[], int], change: dict[str, object], pointer: str
) -> None:
    answer = api.call("POST", PATH, alma.secret_key, json=COMMENT | change)
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert pointer in [error["pointer"] for error in answer.get_json()["errors"]]
    assert drain() == 0


def test_twenty_thousand_characters_of_any_common_script_are_taken(api: Api, alma: NewSite) -> None:
    data = json.dumps(COMMENT | {"body": "  " + "好" * 20_000 + "\n"}, ensure_ascii=False).encode()
    answer = api.call("POST", PATH, alma.secret_key, data=data, content_type="application/json")
    assert answer.status_code == 202


@pytest.mark.parametrize(
    ("raw", "content_type", "status"),
    [
        (b"{not json", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"body": NaN}', "application/json", 400),
        (b"[" * 30_000, "application/json", 400),
        (b"1" * 5000, "application/json", 400),
        (b"[]", "application/json", 422),
        (b"{}", "text/plain", 415),
        (b"{}", "", 415),
        (b"x" * 70_000, "application/json", 413),
    ],
)
def test_what_cannot_be_read_is_a_4xx(
    api: Api, alma: NewSite, raw: bytes, content_type: str, status: int
) -> None:
    answer = api.call("POST", PATH, alma.secret_key, data=raw, content_type=content_type)
    assert answer.status_code == status
    assert answer.get_json()["type"].startswith("urn:greenroom:problem:")


def test_an_idempotency_key_replays_the_first_answer(
    api: Api, alma: NewSite, drain: Callable[[], int]
) -> None:
    key = {"Idempotency-Key": "abc"}
    first = api.call("POST", PATH, alma.secret_key, json=COMMENT, headers=key)
    again = api.call("POST", PATH, alma.secret_key, json=COMMENT, headers=key)
    assert (again.status_code, again.get_json()) == (first.status_code, first.get_json())
    assert again.headers["Idempotent-Replayed"] == "true"
    other = api.call("POST", PATH, alma.secret_key, json=COMMENT | {"body": "Another."}, headers=key)
    assert (other.status_code, other.get_json()["type"]) == (422, "urn:greenroom:problem:key-reused")
    assert drain() == 1


def test_an_idempotency_key_with_odd_characters_is_refused(api: Api, alma: NewSite) -> None:
    answer = api.call("POST", PATH, alma.secret_key, json=COMMENT, headers={"Idempotency-Key": "a b"})
    assert answer.status_code == 400


def test_a_second_comment_with_an_external_id_is_refused(api: Api, alma: NewSite) -> None:
    first = api.hand_in(alma, external_id="wp-7")
    answer = api.call("POST", PATH, alma.secret_key, json=COMMENT | {"external_id": "wp-7"})
    assert (answer.status_code, answer.get_json()["comment_id"]) == (409, first["id"])


def test_a_reply_needs_a_parent_in_the_same_thread(api: Api, alma: NewSite) -> None:
    parent = api.hand_in(alma)["id"]
    api.hand_in(alma, parent_id=parent)
    elsewhere = COMMENT | {"thread": {"id": "other-post"}, "parent_id": parent}
    assert api.call("POST", PATH, alma.secret_key, json=elsewhere).status_code == 422


def test_prefer_wait_without_a_worker_ends_in_202(api: Api, alma: NewSite) -> None:
    answer = api.call("POST", PATH, alma.secret_key, json=COMMENT, headers={"Prefer": "wait=1"})
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (202, "wait=1")


def test_a_plain_form_leads_back_to_the_thread(api: Api, alma: NewSite, drain: Callable[[], int]) -> None:
    form = {
        "site_key": alma.public_key,
        "thread_id": "first-post",
        "thread_url": f"{ORIGIN}/posts/1",
        "author_name": "Reader",
        "author_email": "",
        "body": "A kind word.",
        "submit": "Send",
    }
    answer = api.call("POST", PATH, data=form, headers={"Origin": ORIGIN})
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(f"{ORIGIN}/posts/1?comment=c_")
    assert drain() == 1


def test_a_form_never_leads_to_a_foreign_page(api: Api, alma: NewSite) -> None:
    form = {
        "site_key": alma.public_key,
        "thread_id": "first-post",
        "thread_url": "https://evil.example/",
        "author_name": "Reader",
        "body": "A kind word.",
    }
    answer = api.call("POST", PATH, data=form, headers={"Origin": ORIGIN})
    assert answer.headers["Location"].startswith("/?comment=")


def test_a_bad_form_shows_a_page_to_a_browser_and_a_problem_to_a_program(api: Api, alma: NewSite) -> None:
    form = {"site_key": alma.public_key, "thread_id": "first-post", "author_name": "Reader", "body": " "}
    page = api.call("POST", PATH, data=form, headers={"Origin": ORIGIN, "Accept": "text/html"})
    assert (page.status_code, page.mimetype) == (422, "text/html")
    problem = api.call("POST", PATH, data=form, headers={"Origin": ORIGIN})
    assert (problem.status_code, problem.mimetype) == (422, "application/problem+json")


def test_a_filled_honeypot_is_rejected(api: Api, alma: NewSite, drain: Callable[[], int]) -> None:
    comment = api.hand_in(alma, honeypot="http://buy.example")["id"]
    drain()
    assert api.fate(alma, comment) == ("rejected", "honeypot")


def test_a_browser_cannot_make_up_its_address(
    api: Api, alma: NewSite, bruno: NewModerator, drain: Callable[[], int]
) -> None:
    comment = COMMENT | {
        "author": {"name": "A", "ip": "203.0.113.9", "id": "owner"},
        "body": "score:spam=0.6",
    }
    headers = {"X-Site-Key": alma.public_key, "Origin": ORIGIN}
    api.call("POST", PATH, json=comment, headers=headers)
    drain()
    (item,) = api.queue(bruno)
    author = item["comment"]["author"]
    assert (author["ip"], author["id"]) == ("127.0.0.1", None)


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("p=12&lang=de", "p=12&lang=de&"),
        ("a-post", "a-post&"),
        ("q=a+b%26c&empty=", "q=a+b%26c&empty=&"),
        ("comment=c_1&receipt=x&p=12", "p=12&"),
        ("", ""),
    ],
)
def test_a_form_leads_back_to_the_same_page_of_the_site(
    api: Api, alma: NewSite, query: str, kept: str
) -> None:
    form = {
        "site_key": alma.public_key,
        "thread_id": "12",
        "thread_url": f"{ORIGIN}/?{query}#top",
        "author_name": "Reader",
        "body": "A kind word.",
    }
    answer = api.call("POST", PATH, data=form, headers={"Origin": ORIGIN})
    assert answer.headers["Location"].startswith(f"{ORIGIN}/?{kept}comment=c_")
    assert answer.headers["Location"].endswith("#comments")


def test_a_form_takes_the_longest_comment_in_any_script(api: Api, alma: NewSite) -> None:
    form = {"site_key": alma.public_key, "thread_id": "t", "author_name": "Reader", "body": "好" * 20_000}
    assert api.call("POST", PATH, data=form, headers={"Origin": ORIGIN}).status_code == 303


def test_a_forms_line_ends_count_once(api: Api, alma: NewSite) -> None:
    body = "\r\n".join(["line"] * 4_000)
    form = {"site_key": alma.public_key, "thread_id": "t", "author_name": "Reader", "body": body}
    assert api.call("POST", PATH, data=form, headers={"Origin": ORIGIN}).status_code == 303


def test_a_form_that_is_too_large_shows_a_page_to_a_browser(api: Api, alma: NewSite) -> None:
    form = {"site_key": alma.public_key, "thread_id": "t", "author_name": "Reader", "body": "x" * 300_000}
    page = api.call("POST", PATH, data=form, headers={"Origin": ORIGIN, "Accept": "text/html"})
    assert (page.status_code, page.mimetype) == (413, "text/html")
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]


def test_a_secret_key_in_the_address_is_not_taken(api: Api, alma: NewSite) -> None:
    assert api.call("POST", f"{PATH}?site_key={alma.secret_key}", json=COMMENT).status_code == 401
