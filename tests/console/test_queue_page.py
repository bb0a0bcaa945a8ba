"""The queue page and the page of one item: what they show and how they show hostile text."""

import html
import re

import pytest

from moderation.console import queue_pages
from moderation.services.access import NewModerator
from tests.conftest import Api
from tests.console.conftest import Console, Held

HOSTILE = """<script>alert(1)</script> <img src=x onerror=alert(2)> "'& \u202egnp.exe {{ 7*7 }} """
HOSTILE += "score:spam=0.7"


def test_the_queue_says_that_it_is_empty(console: Console) -> None:
    assert "Nothing needs a person." in console.get()


def test_a_card_shows_who_where_what_and_why(console: Console, held: Held) -> None:
    held(
        "score:spam=0.70 Buy\nnow",
        author={"name": "Ines"},
        thread={"id": "p", "title": "The lamp by the bridge"},
    )
    page = console.get()
    for text in ("Ines", "The lamp by the bridge", "score:spam=0.70 Buy\nnow", "Spam 0.70, held from 0.50"):
        assert text in page
    assert '<span id="open-count">1</span> open' in page
    assert '<option value="spam" selected>' in page


def test_a_card_says_who_claimed_it(api: Api, console: Console, held: Held, carla: NewModerator) -> None:
    api.call("PUT", f"/api/v1/queue/{held()['id']}/claim", carla.key, json={})
    assert "<bdi>Carla</bdi> has claimed this until" in console.get()


def test_filters_leave_what_they_name_and_stay_filled_in(console: Console, held: Held) -> None:
    held("score:spam=0.70 apples")
    held("score:insult=0.70 pears")
    for query, body in (("reason=toxic", "pears"), ("category=spam", "apples"), ("q=PEARS", "pears")):
        page = console.get(f"/console/?{query}")
        assert {word for word in ("apples", "pears") if f"0.70 {word}" in page} == {body}
    assert 'value="PEARS"' in page
    assert "Nothing in the queue fits" in console.get("/console/?q=plums&reason=&category=")


@pytest.mark.parametrize("query", ["category=nonsense", "reason=%3Cb%3E", "q=" + "x" * 201])
def test_a_filter_that_cannot_be_is_told(console: Console, query: str) -> None:
    answer = console.client.get(f"/console/?{query}")
    assert answer.status_code == 422
    assert "To the queue" in answer.text


def test_a_cursor_leads_through_the_queue_without_skipping(
    console: Console, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_pages, "PAGE", 2)
    for word in ("apples", "pears", "plums"):
        held(f"score:spam=0.70 {word}")
    first = console.get("/console/?reason=spam")
    assert ("pears" in first, "plums" in first) == (True, False)
    following = re.search(r'href="(/console/\?cursor=[^"]+)">Next page', first)
    assert following is not None
    second = console.get(html.unescape(following[1]))
    assert ("pears" in second, "plums" in second) == (False, True)
    assert "Next page" not in second


def test_an_old_cursor_still_leads_to_the_queue(console: Console, held: Held) -> None:
    held("score:spam=0.70 apples")
    assert "apples" in console.get("/console/?cursor=AAAA")


def test_hostile_text_is_only_ever_text(console: Console, held: Held) -> None:
    item = held(
        HOSTILE,
        author={"name": HOSTILE[:150], "url": "javascript:alert(3)"},
        thread={"id": "<b>p</b>", "title": HOSTILE},
    )
    for page in (console.get(), console.get(f"/console/items/{item['id']}")):
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "&lt;script&gt;alert(1)" in page
        assert "{{ 7*7 }}" in page
        assert 'href="javascript' not in page
        assert 'dir="auto"' in page


def test_the_longest_text_is_folded_and_complete(console: Console, held: Held) -> None:
    body = "score:spam=0.70 " + "y" * 19_984
    held(body)
    page = console.get()
    assert body in page
    assert "Show all 20,000 characters" in page


def test_the_page_of_an_item_shows_everything_around_it(api: Api, console: Console, held: Held) -> None:
    before = held("score:spam=0.60 an offer of apples", author={"name": "Ines", "email": "i@example.org"})
    console.decide(before, "approve")
    item = held("score:spam=0.70 an offer of apples", author={"name": "Ines", "email": "i@example.org"})
    page = console.get(f"/console/items/{item['id']}")
    # The first four characters are what the stand-in for the model explains.
    assert '<mark title="spam">scor</mark>e:spam=0.70' in page
    assert "score:spam=0.60 an offer of apples" in page
    assert "% alike" in page
    assert "1 approved" in page
    assert "The policy put it into the queue (spam)" in page


def test_an_unknown_item_has_a_page_that_says_so(console: Console) -> None:
    answer = console.client.get("/console/items/item_1")
    assert answer.status_code == 404
    assert "There is no such page" in answer.text


@pytest.mark.parametrize("path", ["/console", "/console/sign-in", "/console/items/item_1"])
def test_every_answer_closes_what_the_page_does_not_need(console: Console, path: str) -> None:
    headers = console.client.get(path).headers
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


def test_a_severe_text_is_covered_until_it_is_asked_for(console: Console, held: Held) -> None:
    held("score:threat=0.80 words that frighten")
    page = console.get()
    assert "Severe text (threat 0.80): show it" in page
    console.send("/console/me/severe", show="yes")
    assert "Severe text" not in console.get()
    console.send("/console/me/severe", show="no")
    assert "Severe text" in console.get()


def test_a_character_that_nobody_sees_is_named(console: Console, held: Held) -> None:
    item = held("score:spam=0.7 a\u202eb\u200bc")
    for page in (console.get(), console.get(f"/console/items/{item['id']}")):
        for code in ("U+202E", "U+200B"):
            assert f">{code}</span>" in page
        assert "\u202e" not in page.replace("a\u202e", "") or "\u202eb" not in page


def test_more_filters_and_orders_leave_what_they_name(
    api: Api, console: Console, held: Held, carla: NewModerator
) -> None:
    held("score:spam=0.52 apples", author={"name": "Ines"})
    held("score:spam=0.88 pears", author={"name": "Otto"})
    assert "pears" not in console.get("/console/?author=ines")
    page = console.get("/console/?sort=score")
    assert page.index("pears") < page.index("apples")
    page = console.get("/console/?sort=uncertainty")
    assert page.index("apples") < page.index("pears")
    assert "Nothing in the queue fits" in console.get("/console/?mine=true")
    assert console.client.get("/console/?sort=nonsense").status_code == 422


def test_the_open_page_asks_how_long_the_queue_is(console: Console, held: Held) -> None:
    held()
    assert console.client.get("/console/counts").get_json() == {"open": 1, "overdue": 0}
