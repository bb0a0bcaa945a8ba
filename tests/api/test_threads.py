"""GET /api/v1/threads/{id}/comments and PUT /api/v1/threads/{id}"""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from moderation.database import Database
from moderation.services.access import NewModerator, NewSite
from moderation.signing import make_cursor
from tests.conftest import ORIGIN, SECRET, Api, make_site

PATH = "/api/v1/threads/first-post/comments"
Drain = Callable[[], int]


def read(api: Api, site: NewSite, path: str = PATH) -> dict[str, Any]:
    answer = api.call("GET", path, site.secret_key)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def bodies(page: dict[str, Any]) -> list[str]:
    return [item["body"] for item in page["items"]]


def test_it_shows_approved_comments_only_oldest_first(api: Api, alma: NewSite, drain: Drain) -> None:
    for body in ("first", "score:spam=0.95", "second", "score:spam=0.7", "third"):
        api.hand_in(alma, body)
    api.hand_in(alma, "elsewhere", thread={"id": "other-post"})
    drain()
    api.hand_in(alma, "still pending")
    page = read(api, alma)
    assert (bodies(page), page["next_cursor"]) == (["first", "second", "third"], None)


def test_it_shows_of_the_author_what_everybody_may_see(api: Api, alma: NewSite, drain: Drain) -> None:
    author = {
        "name": "Reader",
        "url": "https://reader.example",
        "email": "r@example.org",
        "ip": "203.0.113.9",
    }
    parent = api.hand_in(alma, author=author)["id"]
    api.hand_in(alma, parent_id=parent)
    drain()
    first, reply = read(api, alma)["items"]
    assert first["author"] == {"name": "Reader", "url": "https://reader.example"}
    assert set(first) == {"id", "parent_id", "author", "body", "created_at"}
    assert (first["parent_id"], reply["parent_id"]) == (None, parent)


def test_pages_neither_skip_nor_repeat_while_comments_come_and_go(
    api: Api, alma: NewSite, drain: Drain
) -> None:
    ids = [api.hand_in(alma, f"number {n}")["id"] for n in range(7)]
    drain()
    page = read(api, alma, f"{PATH}?limit=3")
    seen = [item["id"] for item in page["items"]]
    # One that was shown goes, and a new one comes: the next pages must not shift.
    api.call("DELETE", f"/api/v1/comments/{ids[0]}", alma.secret_key)
    ids.append(api.hand_in(alma, "number 7")["id"])
    drain()
    while page["next_cursor"]:
        page = read(api, alma, f"{PATH}?limit=3&cursor={page['next_cursor']}")
        seen += [item["id"] for item in page["items"]]
    assert seen == ids


@pytest.mark.parametrize("thread", ["first-post", "nobody-was-here"])
def test_a_thread_without_comments_is_an_empty_page(api: Api, alma: NewSite, thread: str) -> None:
    page = read(api, alma, f"/api/v1/threads/{thread}/comments")
    assert page == {"items": [], "next_cursor": None}


def cursor_of(api: Api, site: NewSite, drain: Drain, thread: str) -> str:
    for _ in range(2):
        api.hand_in(site, thread={"id": thread})
    drain()
    cursor: str = read(api, site, f"/api/v1/threads/{thread}/comments?limit=1")["next_cursor"]
    return cursor


def test_a_cursor_is_good_for_its_own_thread_only(
    api: Api, alma: NewSite, drain: Drain, database: Database
) -> None:
    own = cursor_of(api, alma, drain, "first-post")
    assert api.call("GET", f"{PATH}?cursor={own}", alma.secret_key).status_code == 200
    stranger = make_site(database)
    cursors = [
        cursor_of(api, alma, drain, "other-post"),
        cursor_of(api, stranger, drain, "first-post"),
        make_cursor(["c_0"], f"thread:{alma.site_id}:first-post", b"another installation"),
        make_cursor(["2026-01-01T00:00:00+00:00", "item_0"], "queue:due:QueueFilters()", SECRET.encode()),
        own[:-3],
        own[:30] + ("A" if own[30] != "A" else "B") + own[31:],
        "garbage",
        "%00",
        "%F0%9F%98%80",
    ]
    for cursor in cursors:
        answer = api.call("GET", f"{PATH}?cursor={cursor}", alma.secret_key)
        assert answer.status_code == 400, cursor
        assert answer.get_json()["type"] == "urn:greenroom:problem:invalid-cursor"


@pytest.mark.parametrize(
    ("limit", "status"), [("1", 200), ("100", 200), ("0", 422), ("101", 422), ("-1", 422)]
)
def test_a_page_holds_one_to_a_hundred(api: Api, alma: NewSite, limit: str, status: int) -> None:
    assert api.call("GET", f"{PATH}?limit={limit}", alma.secret_key).status_code == status


@pytest.mark.parametrize("limit", ["many", "1.5", "", "-1"])
def test_a_limit_that_is_no_number_is_named(api: Api, alma: NewSite, limit: str) -> None:
    answer = api.call("GET", f"{PATH}?limit={limit}", alma.secret_key)
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, "/limit")


def test_it_is_304_until_a_comment_is_approved_withdrawn_or_edited(
    api: Api, alma: NewSite, drain: Drain
) -> None:
    first = api.hand_in(alma)["id"]
    drain()
    tags = [api.call("GET", PATH, alma.secret_key).headers["ETag"]]
    for change in (
        lambda: api.hand_in(alma, "Another."),
        lambda: api.call("PUT", f"/api/v1/comments/{first}", alma.secret_key, json={"body": "New."}),
        lambda: api.call("DELETE", f"/api/v1/comments/{first}", alma.secret_key),
    ):
        same = api.call("GET", PATH, alma.secret_key, headers={"If-None-Match": tags[-1]})
        assert (same.status_code, same.data) == (304, b"")
        change()
        drain()
        answer = api.call("GET", PATH, alma.secret_key, headers={"If-None-Match": tags[-1]})
        assert answer.status_code == 200
        tags.append(answer.headers["ETag"])
    assert len(set(tags)) == len(tags)


def test_one_gone_and_another_come_is_a_change_too(
    api: Api, alma: NewSite, bruno: NewModerator, drain: Drain
) -> None:
    gone, come = (api.hand_in(alma, "score:spam=0.7")["id"] for _ in range(2))
    api.hand_in(alma, "the last one")
    drain()
    item_of = {item["comment"]["id"]: item for item in api.queue(bruno)}
    api.decide(bruno, item_of[gone], "approve")
    before = api.call("GET", PATH, alma.secret_key)
    api.call("DELETE", f"/api/v1/comments/{gone}", alma.secret_key)
    api.decide(bruno, item_of[come], "approve")
    after = api.call("GET", PATH, alma.secret_key, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert after.get_json()["items"][0]["id"] == come


THREADS = [
    "2026/01/a-post",
    "/2026/01/a-post/",
    "café/日本語",
    "a//b",
    "comments",
    "x/comments",
    "a?b#c%2Fd e",
]


@pytest.mark.parametrize("thread", THREADS)
def test_a_thread_is_found_by_any_id_its_site_gave_it(
    api: Api, alma: NewSite, drain: Drain, thread: str
) -> None:
    new = api.hand_in(alma, thread={"id": thread})
    drain()
    page = read(api, alma, new["links"]["thread"])
    assert [item["id"] for item in page["items"]] == [new["id"]]
    assert read(api, alma, f"/api/v1/threads/{quote(thread, safe='')}/comments") == page


@pytest.mark.parametrize("thread", THREADS)
def test_a_thread_can_be_closed_by_any_id(api: Api, alma: NewSite, thread: str) -> None:
    path = f"/api/v1/threads/{quote(thread, safe='')}"
    answer = api.call("PUT", path, alma.secret_key, json={"closed": True})
    assert answer.get_json() == {"id": thread, "url": None, "title": None, "closed": True}


def test_the_public_key_reads_without_an_origin(api: Api, alma: NewSite, drain: Drain) -> None:
    api.hand_in(alma)
    drain()
    answer = api.call("GET", PATH, headers={"X-Site-Key": alma.public_key})
    assert (answer.status_code, len(answer.get_json()["items"])) == (200, 1)
    assert api.call("GET", f"{PATH}?site_key={alma.public_key}").status_code == 200


def test_another_site_sees_its_own_thread_of_that_id(
    api: Api, alma: NewSite, drain: Drain, database: Database
) -> None:
    api.hand_in(alma)
    drain()
    assert read(api, make_site(database))["items"] == []


def test_a_closed_thread_takes_no_more_comments_until_it_is_opened(
    api: Api, alma: NewSite, drain: Drain
) -> None:
    def close(closed: bool) -> None:
        path = "/api/v1/threads/first-post"
        assert api.call("PUT", path, alma.secret_key, json={"closed": closed}).status_code == 200

    early = api.hand_in(alma, "one")["id"]
    drain()
    close(True)
    late = api.hand_in(alma, "two")["id"]
    drain()
    assert api.fate(alma, early) == ("approved", "clean")
    assert api.fate(alma, late) == ("rejected", "thread_closed")
    close(False)
    later = api.hand_in(alma, "three")["id"]
    drain()
    assert api.fate(alma, later) == ("approved", "clean")


def test_what_is_left_out_of_a_change_stays(api: Api, alma: NewSite) -> None:
    path = "/api/v1/threads/first-post"
    api.call("PUT", path, alma.secret_key, json={"title": "First post", "url": f"{ORIGIN}/1"})
    answer = api.call("PUT", path, alma.secret_key, json={"closed": True})
    assert answer.get_json() == {
        "id": "first-post",
        "url": f"{ORIGIN}/1",
        "title": "First post",
        "closed": True,
    }


@pytest.mark.parametrize("change", [{"closed": "yes"}, {"closed": 2}, {"closed": None}, {"open": True}])
def test_a_change_that_cannot_be_read_is_named(api: Api, alma: NewSite, change: dict[str, object]) -> None:
    answer = api.call("PUT", "/api/v1/threads/first-post", alma.secret_key, json=change)
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, f"/{next(iter(change))}")
