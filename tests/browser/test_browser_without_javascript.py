"""A reader whose browser runs no scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.browser.conftest import AS_SHIPPED, Blog, Opener, write

if TYPE_CHECKING:
    from playwright.sync_api import Page

SPAM = """CHEAP WATCHES!!! 90% OFF, buy now http://cheap-watches.example/buy
http://casino-bonus.example/win FREE MONEY click here http://pills.example http://loans.example"""


def test_a_kind_comment_is_published_and_highlighted(plain_page: Page) -> None:
    write(plain_page, "Thank you, I walk the same way most evenings.")
    plain_page.reload()
    assert plain_page.locator(".fate-title").inner_text() == "Your comment is published"
    assert "I walk the same way" in plain_page.locator(".comment.own .comment-body").inner_text()
    assert plain_page.url.endswith("#comments")


def test_whatever_the_model_says_of_a_kind_comment_its_author_is_told(blog: Blog, plain_page: Page) -> None:
    blog.set_policy(AS_SHIPPED)
    write(plain_page, "The part about the lamps coming on one by one is lovely.")
    told = plain_page.locator(".fate-title").inner_text()
    assert told in {
        "Your comment is published",
        "Your comment waits for a person",
        "Your comment is being looked at…",
    }


def test_a_held_comment_is_said_to_wait_for_a_person(blog: Blog, plain_page: Page) -> None:
    blog.set_policy({"mode": "hold_everything"})
    write(plain_page, "Where is this bench?")
    plain_page.reload()
    assert "A person will look at it" in plain_page.locator(".fate").inner_text()
    assert "Where is this bench?" in plain_page.locator(".fate").inner_text()
    assert plain_page.locator(".comment").count() == 0


def test_advertising_is_not_published_and_its_author_is_told(blog: Blog, plain_page: Page) -> None:
    blog.set_policy(AS_SHIPPED)
    write(plain_page, SPAM)
    plain_page.reload()
    assert plain_page.locator(".fate-title").inner_text() in {
        "Not published",
        "Your comment waits for a person",
    }
    plain_page.goto("/")
    assert "cheap-watches" not in plain_page.content()


def test_a_filled_honeypot_is_refused(plain_page: Page) -> None:
    plain_page.locator("#honeypot").fill("https://bot.example")
    write(plain_page, "Nice.")
    plain_page.reload()
    assert "A hidden field" in plain_page.locator(".fate-rejected").inner_text()


def test_a_reply_stands_below_what_it_answers(blog: Blog, plain_page: Page) -> None:
    blog.publish("Why is the lamp first?")
    plain_page.reload()
    plain_page.get_by_role("link", name="Reply to Maren").click()
    assert "In reply to Maren" in plain_page.locator("#replying").inner_text()
    write(plain_page, "Because it faces east.")
    plain_page.reload()
    assert "faces east" in plain_page.locator(".replies .comment.own").inner_text()


def test_a_text_of_spaces_is_refused_on_a_page_that_keeps_the_way_back(plain_page: Page) -> None:
    write(plain_page, "   ")
    assert plain_page.get_by_role("heading", level=1).inner_text() == "Your comment was not sent"
    plain_page.get_by_role("link", name="To an empty form").click()
    assert plain_page.get_by_label("Comment", exact=True).is_visible()


def test_a_text_that_is_too_long_is_given_back(plain_page: Page) -> None:
    write(plain_page, "evening " * 2501)
    assert plain_page.get_by_label("Your text, to copy").input_value().startswith("evening evening")


def test_a_wrong_receipt_shows_nothing(blog: Blog, plain_page: Page) -> None:
    comment_id = blog.publish("Mine.")
    plain_page.goto(f"/?comment={comment_id}&receipt=wrong")
    assert plain_page.locator(".fate").count() == 0
    assert plain_page.locator(".own").count() == 0


def test_more_than_a_hundred_comments_have_a_second_page(blog: Blog, open_page: Opener) -> None:
    blog.publish(*(f"Evening number {number}." for number in range(103)))
    with open_page(java_script_enabled=False) as page:
        assert page.locator("#list > li").count() == 100
        page.get_by_role("link", name="More comments").click()
        assert page.locator("#list > li").count() == 3
        page.goto("/?cursor=nonsense")
        assert page.locator("#list > li").count() == 100


def test_nobody_wrote_yet_is_said(plain_page: Page) -> None:
    assert plain_page.get_by_text("No comments yet. Be the first.").is_visible()
