"""GET /api/v1/queue and GET /api/v1/queue/{id}"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from moderation.database import Database
from moderation.scoring import words_of
from moderation.services.access import NewModerator, NewSite
from moderation.services.following import follow_decisions
from tests.conftest import Api, make_site

PATH = "/api/v1/queue"
Drain = Callable[[], int]


@pytest.fixture
def held(api: Api, alma: NewSite, drain: Drain) -> list[str]:
    """Six held comments, in the order they came."""
    comments: list[dict[str, Any]] = [
        {"body": "score:spam=0.60 Buy 100% real pills"},
        {"body": "score:insult=0.80 you_fool", "thread": {"id": "other-post"}},
        {"body": "score:spam=0.70 another offer"},
        {"body": "score:threat=0.55 score:spam=0.20"},
        {"body": "see www.a.example www.b.example www.c.example www.d.example"},
        {"body": "poison"},
    ]
    ids = [api.hand_in(alma, **comment)["id"] for comment in comments]
    assert drain() == 6
    return ids


def numbers(held: list[str], items: list[dict[str, Any]]) -> list[int]:
    """The held comments the items stand for, by their place in `held`."""
    return [held.index(item["comment"]["id"]) for item in items]


def test_it_shows_why_a_comment_needs_a_person(
    api: Api, alma: NewSite, bruno: NewModerator, drain: Drain
) -> None:
    author = {"name": "Reader", "email": "reader@example.org", "ip": "203.0.113.9"}
    comment = api.hand_in(alma, "score:spam=0.70 hello", author=author, thread={"id": "p", "title": "Post"})
    drain()
    (item,) = api.queue(bruno)
    assert (item["reason"], item["version"], item["claim"]) == ("spam", 1, None)
    assert item["why"] == ["spam 0.70, held from 0.50", "first comment of this author"]
    finding, _ = item["findings"]
    assert finding == {
        "rule": "category_scores",
        "outcome": "hold",
        "reason": "spam",
        "detail": "spam 0.70, held from 0.50",
        "category": "spam",
        "score": 0.7,
        "threshold": 0.5,
    }
    assert (item["scores"]["spam"], item["model_version"]) == (0.7, "fake-1")
    assert item["comment"]["id"] == comment["id"]
    assert item["comment"]["body"] == "score:spam=0.70 hello"
    assert item["comment"]["author"]["ip"] == "203.0.113.9"
    assert item["comment"]["thread"]["title"] == "Post"
    assert item["site_id"] == alma.site_id
    assert item["opened_at"] < item["due_at"]


def test_the_most_urgent_come_first(api: Api, bruno: NewModerator, held: list[str]) -> None:
    assert numbers(held, api.queue(bruno)) == [0, 1, 2, 3, 4, 5]
    assert numbers(held, api.queue(bruno, "?sort=due")) == [0, 1, 2, 3, 4, 5]


def test_an_unscored_comment_is_shown_without_scores(api: Api, bruno: NewModerator, held: list[str]) -> None:
    (item,) = api.queue(bruno, "?reason=unscored")
    assert (numbers(held, [item]), item["scores"], item["model_version"]) == ([5], None, None)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?thread=other-post", [1]),
        ("?thread=nobody-was-here", []),
        ("?site=site_nothing", []),
        ("?reason=spam", [0, 2]),
        ("?reason=toxic", [1, 3]),
        ("?reason=links", [4]),
        ("?category=insult", [1]),
        ("?category=spam", [0, 2]),
        ("?category=spam&min_score=0.65", [2]),
        ("?category=spam&min_score=0.2", [0, 2, 3]),
        ("?min_score=0.6", [0, 1, 2]),
        ("?min_score=1", []),
        ("?max_score=0.6", [0, 3, 4, 5]),
        ("?min_score=0.6&max_score=0.7", [0, 2]),
        ("?category=spam&max_score=0.6", [0, 1, 3, 4]),
        ("?author=reader", [0, 1, 2, 3, 4, 5]),
        ("?author=nobody", []),
        ("?reported=true", []),
        ("?escalated=true", []),
        ("?escalated=false&reported=false", [0, 1, 2, 3, 4, 5]),
        ("?mine=true", []),
        ("?q=pills", [0]),
        ("?q=PILLS", [0]),
        ("?claimed=true", []),
        ("?claimed=false", [0, 1, 2, 3, 4, 5]),
        ("?reason=spam&q=another&thread=first-post", [2]),
    ],
)
def test_a_filter_leaves_what_it_names(
    api: Api, bruno: NewModerator, held: list[str], query: str, found: list[int]
) -> None:
    assert numbers(held, api.queue(bruno, query)) == found


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("100%25", [0]),
        ("%25", [0]),
        ("you_f", [1]),
        ("_", [1]),
        ("you%25fool", []),
        ("%27%20OR%201=1%20--", []),
        ("%5C", []),
        ("%22", []),
    ],
)
def test_wildcards_and_sql_in_a_search_are_plain_text(
    api: Api, bruno: NewModerator, held: list[str], wanted: str, found: list[int]
) -> None:
    assert numbers(held, api.queue(bruno, f"?q={wanted}")) == found


def test_it_shows_every_site_or_the_one_asked_for(
    api: Api, alma: NewSite, bruno: NewModerator, drain: Drain, database: Database
) -> None:
    other = make_site(database)
    for site in (alma, other):
        api.hand_in(site, "score:spam=0.7")
    drain()
    assert len(api.queue(bruno)) == 2
    assert [item["site_id"] for item in api.queue(bruno, f"?site={other.site_id}")] == [other.site_id]


def test_claimed_tells_live_claims_from_the_rest(api: Api, bruno: NewModerator, held: list[str]) -> None:
    api.call("POST", f"{PATH}/claims", bruno.key, json={"count": 2})
    assert numbers(held, api.queue(bruno, "?claimed=true")) == [0, 1]
    assert numbers(held, api.queue(bruno, "?claimed=false")) == [2, 3, 4, 5]


@pytest.mark.parametrize(
    ("sort", "order"),
    [("due", [0, 1, 2, 3, 4, 5]), ("newest", [5, 4, 3, 2, 1, 0]), ("score", [1, 2, 0, 3, 4, 5])],
)
def test_pages_of_every_order_neither_skip_nor_repeat(
    api: Api, bruno: NewModerator, held: list[str], sort: str, order: list[int]
) -> None:
    seen: list[dict[str, Any]] = []
    cursor = ""
    for _ in range(3):
        page = api.call("GET", f"{PATH}?sort={sort}&limit=2{cursor}", bruno.key).get_json()
        assert len(page["items"]) == 2
        seen += page["items"]
        cursor = f"&cursor={page['next_cursor']}"
    assert page["next_cursor"] is None
    assert numbers(held, seen) == order


def test_items_of_one_moment_and_one_score_are_all_shown(
    api: Api, alma: NewSite, bruno: NewModerator, drain: Drain
) -> None:
    for n in range(5):
        api.hand_in(alma, f"score:spam=0.7 {n}")
    drain()
    for sort in ("due", "newest", "score"):
        seen, cursor = set(), ""
        while cursor is not None:
            page = api.call("GET", f"{PATH}?sort={sort}&limit=1&cursor={cursor}", bruno.key).get_json()
            seen |= {item["id"] for item in page["items"]}
            cursor = page["next_cursor"]
        assert len(seen) == 5


def test_deciding_between_two_pages_skips_nothing(api: Api, bruno: NewModerator, held: list[str]) -> None:
    page = api.call("GET", f"{PATH}?limit=2", bruno.key).get_json()
    for item in page["items"]:
        assert api.decide(bruno, item, "reject").status_code == 200
    following = api.queue(bruno, f"?limit=2&cursor={page['next_cursor']}")
    assert numbers(held, following) == [2, 3]


def test_a_cursor_is_good_for_the_same_filters_and_order_only(
    api: Api, bruno: NewModerator, held: list[str]
) -> None:
    cursor = api.call("GET", f"{PATH}?limit=1&reason=spam", bruno.key).get_json()["next_cursor"]
    assert len(api.queue(bruno, f"?limit=1&reason=spam&cursor={cursor}")) == 1
    for query in ("", "&reason=toxic", "&reason=spam&sort=score", "&reason=spam&q=a"):
        answer = api.call("GET", f"{PATH}?limit=1{query}&cursor={cursor}", bruno.key)
        assert answer.status_code == 400
        assert answer.get_json()["type"] == "urn:greenroom:problem:invalid-cursor"
    assert api.call("GET", f"{PATH}?cursor=garbage", bruno.key).status_code == 400


@pytest.mark.parametrize(
    ("query", "member"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("sort=oldest", "sort"),
        ("category=kindness", "category"),
        ("min_score=1.1", "min_score"),
        ("min_score=-0.1", "min_score"),
        ("min_score=nan", "min_score"),
        ("min_score=high", "min_score"),
        ("claimed=perhaps", "claimed"),
        ("reason=Not%20a%20reason", "reason"),
        ("q=", "q"),
        ("q=%00", "q"),
        ("q=" + "x" * 201, "q"),
        ("cursor=" + "x" * 1001, "cursor"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(api: Api, bruno: NewModerator, query: str, member: str) -> None:
    answer = api.call("GET", f"{PATH}?{query}", bruno.key)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == [f"/{member}"]


def test_one_item_comes_with_all_around_it(
    api: Api, alma: NewSite, bruno: NewModerator, drain: Drain, database: Database
) -> None:
    author = {"name": "Reader", "email": "Reader@example.org"}
    api.hand_in(alma, "the first word", author=author)
    api.hand_in(alma, "score:spam=0.95 buy cheap watches today", author=author)
    api.hand_in(alma, "elsewhere", thread={"id": "other-post"})
    drain()
    with database.write() as session:
        follow_decisions(session, words_of, datetime.now(UTC) + timedelta(minutes=1), 100)
    held = api.hand_in(
        alma, "score:spam=0.7 buy cheap watches now", author={"name": "R", "email": "reader@example.org"}
    )
    drain()
    (item,) = api.queue(bruno)
    answer = api.call("GET", f"{PATH}/{item['id']}", bruno.key)
    found = answer.get_json()
    assert answer.headers["ETag"] == f'"{item["version"]}"'
    assert found.items() >= item.items()
    assert [one["body"] for one in found["thread_context"]] == ["the first word"]
    assert found["author_history"] == {"approved": 1, "rejected": 1}
    assert found["explanation"] == [{"start": 0, "end": 4, "category": "spam", "weight": 1.0}]
    (similar,) = found["similar"]
    assert (similar["status"], similar["similarity"] > 0.2) == ("rejected", True)
    (decision,) = found["decisions"]
    assert (decision["action"], decision["actor"]["kind"], decision["comment_id"]) == (
        "hold",
        "policy",
        held["id"],
    )


def test_a_closed_item_can_still_be_looked_at(api: Api, bruno: NewModerator, held: list[str]) -> None:
    item = api.queue(bruno)[0]
    api.decide(bruno, item, "approve")
    found = api.call("GET", f"{PATH}/{item['id']}", bruno.key).get_json()
    assert found["closed_at"] is not None
    assert [decision["action"] for decision in found["decisions"]] == ["hold", "approve"]


def test_an_unknown_item_is_404(api: Api, bruno: NewModerator) -> None:
    assert api.call("GET", f"{PATH}/item_nothing", bruno.key).status_code == 404


@pytest.mark.parametrize(
    ("wanted", "found"), [("u7", [0]), ("ann@example.org", [1]), ("%25", []), ("Ann", [0, 1])]
)
def test_an_author_is_found_by_id_address_or_part_of_the_name(
    api: Api, alma: NewSite, bruno: NewModerator, drain: Drain, wanted: str, found: list[int]
) -> None:
    authors = [{"name": "Anna", "id": "u7"}, {"name": "Annette", "email": "Ann@example.org"}, {"name": "Bo"}]
    ids = [api.hand_in(alma, f"score:spam=0.7 {n}", author=author)["id"] for n, author in enumerate(authors)]
    drain()
    assert numbers(ids, api.queue(bruno, f"?author={wanted}")) == found


def test_the_least_certain_come_first_by_uncertainty(
    api: Api, alma: NewSite, bruno: NewModerator, drain: Drain
) -> None:
    ids = [api.hand_in(alma, f"score:spam={score}")["id"] for score in (0.8, 0.52, 0.61, 0.7)]
    drain()
    first = api.call("GET", f"{PATH}?sort=uncertainty&limit=2", bruno.key).get_json()
    rest = api.call(
        "GET", f"{PATH}?sort=uncertainty&limit=2&cursor={first['next_cursor']}", bruno.key
    ).get_json()
    assert numbers(ids, first["items"] + rest["items"]) == [1, 2, 3, 0]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    ("sort", "stable"), [("due", False), ("score", True), ("uncertainty", True), ("newest", True)]
)
def test_it_says_whether_places_change_while_others_work(
    api: Api, bruno: NewModerator, held: list[str], sort: str, stable: bool
) -> None:
    assert api.call("GET", f"{PATH}?sort={sort}", bruno.key).get_json()["stable"] is stable


def test_the_next_page_is_a_link_too(api: Api, bruno: NewModerator, held: list[str]) -> None:
    answer = api.call("GET", f"{PATH}?limit=4&q=score", bruno.key)
    assert "Link" not in answer.headers
    answer = api.call("GET", f"{PATH}?limit=4&category=spam&min_score=0", bruno.key)
    address = answer.headers["Link"].removeprefix("<").split(">")[0]
    assert answer.headers["Link"].endswith('>; rel="next"')
    following = api.call("GET", address, bruno.key).get_json()
    assert numbers(held, answer.get_json()["items"] + following["items"]) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("sort", ["due", "score", "uncertainty", "newest"])
def test_pages_neither_skip_nor_repeat_while_another_decides(
    api: Api, alma: NewSite, bruno: NewModerator, carla: NewModerator, drain: Drain, sort: str
) -> None:
    for n in range(12):
        api.hand_in(alma, f"score:spam=0.{60 + n}")
    drain()
    whole = [item["id"] for item in api.queue(bruno, f"?sort={sort}")]
    seen: list[str] = []
    cursor = ""
    while True:
        page = api.call("GET", f"{PATH}?sort={sort}&limit=3{cursor}", bruno.key).get_json()
        seen += [item["id"] for item in page["items"]]
        # The other decides one that was shown, and one that was not yet.
        api.decide(carla, page["items"][0], "approve")
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == whole
