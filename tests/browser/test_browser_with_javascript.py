"""A reader whose browser runs the page's script."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.browser.conftest import Blog, Opener, write

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route


def test_an_approved_comment_appears_without_a_reload(page: Page) -> None:
    page.evaluate("window.stayed = true")
    write(page, "Thank you, that is how it feels.")
    own = page.locator("#list .comment.own")
    own.wait_for()
    assert own.locator(".comment-body").inner_text() == "Thank you, that is how it feels."
    assert own.locator(".author").inner_text() == "Ines"
    assert page.get_by_role("status").locator(".fate-title").inner_text() == "Your comment is published"
    assert page.get_by_label("Comment", exact=True).input_value() == ""
    assert page.evaluate("window.stayed")


def test_a_reload_still_tells_the_fate(blog: Blog, page: Page) -> None:
    blog.set_policy({"mode": "hold_everything"})
    write(page, "Where is this bench?")
    page.get_by_text("Your comment waits for a person").wait_for()
    page.reload()
    page.locator("#own").get_by_text("A person will look at it").wait_for()


def test_a_comment_that_takes_long_is_followed_until_it_is_decided(page: Page) -> None:
    looks = []

    def still_pending(route: Route) -> None:
        looks.append(route.request.url)
        answer = route.fetch().json()
        route.fulfill(json={**answer, "status": "pending", "reason": None} if len(looks) < 2 else answer)

    page.route("**/api/v1/comments", lambda route: route.fulfill(json=pending(route)))
    page.route("**/api/v1/comments/*", still_pending)
    write(page, "The heron is always right.")
    page.get_by_text("Your comment is being looked at").wait_for()
    page.locator("#list .comment.own").wait_for()
    assert len(looks) == 2


def pending(route: Route) -> dict[str, object]:
    answer: dict[str, object] = route.fetch().json()
    return {**answer, "status": "pending", "reason": None}


def test_a_filled_honeypot_is_refused(page: Page) -> None:
    page.locator("#honeypot").evaluate("field => { field.value = 'https://bot.example' }")
    write(page, "Nice.")
    assert "A hidden field" in page.locator("#fate .fate-rejected").inner_text()


def test_an_empty_comment_is_named_beside_its_field(page: Page) -> None:
    write(page, "  ")
    body = page.get_by_label("Comment", exact=True)
    assert page.locator("#body-error").inner_text() == "Please write something first."
    assert body.get_attribute("aria-invalid") == "true"
    assert "body-error" in (body.get_attribute("aria-describedby") or "")
    assert body.evaluate("field => field === document.activeElement")


def test_what_the_service_refuses_is_named_beside_its_field(page: Page) -> None:
    # Past the field's own limit, as an old copy of the page might be.
    page.get_by_label("Name").evaluate("field => { field.removeAttribute('maxlength') }")
    write(page, "Hello.", name="n" * 201)
    page.locator("#name-error").wait_for()
    assert "200" in page.locator("#name-error").inner_text()
    assert page.get_by_label("Comment", exact=True).input_value() == "Hello."


def test_the_counter_counts_characters_as_the_service_does(page: Page) -> None:
    page.get_by_label("Comment", exact=True).fill("👩‍🚀 ok")
    assert page.locator("#count").inner_text() == "6 of 20,000 characters"
    page.get_by_label("Comment", exact=True).fill("a" * 20_001)
    assert "over" in (page.locator("#count").get_attribute("class") or "")


def test_a_failed_request_keeps_the_text_and_is_repeated_as_the_same_request(page: Page) -> None:
    keys: list[str | None] = []
    page.on("request", lambda request: keys.append(request.headers.get("idempotency-key")))
    page.route("**/api/v1/comments", lambda route: route.abort())
    write(page, "Written on a train.")
    page.get_by_text("Your comment could not be sent").wait_for()
    page.unroute("**/api/v1/comments")
    page.reload()
    assert page.get_by_label("Comment", exact=True).input_value() == "Written on a train."
    page.get_by_role("button", name="Send comment").click()
    page.locator("#list .comment.own").wait_for()
    sent = [key for key in keys if key]
    assert len(sent) == 2
    assert sent[0] == sent[1]


def test_a_service_in_trouble_is_not_the_readers_fault(page: Page) -> None:
    problem = json.dumps({"type": "urn:greenroom:problem:unavailable", "title": "Not now", "status": 503})
    answer = {"status": 503, "content_type": "application/problem+json", "body": problem}
    page.route("**/api/v1/comments", lambda route: route.fulfill(**answer))
    write(page, "Hello.")
    page.get_by_role("button", name="Try again").wait_for()
    assert page.get_by_label("Comment", exact=True).input_value() == "Hello."


def test_a_reply_appears_below_what_it_answers(blog: Blog, open_page: Opener) -> None:
    blog.publish("Why is the lamp first?")
    with open_page() as page:
        page.get_by_role("link", name="Reply to Maren").click()
        assert page.locator("#replying").inner_text().startswith("In reply to Maren")
        write(page, "Because it faces east.")
        page.locator(".replies .comment.own").wait_for()


def test_more_comments_are_added_below(blog: Blog, open_page: Opener) -> None:
    first = blog.publish("The first of many.")
    blog.publish(*(f"Evening number {number}." for number in range(101)))
    blog.publish("A late reply.", parent=first)
    with open_page() as page:
        page.get_by_role("link", name="More comments").click()
        page.locator("#list > li").nth(101).wait_for()
        assert page.locator("#more").count() == 0
        assert "A late reply." in page.locator("#list > li").first.inner_text()


def test_the_receipt_leaves_the_address(page: Page, blog: Blog, open_page: Opener) -> None:
    with open_page(java_script_enabled=False) as plain:
        write(plain, "Sent without a script.")
        address = plain.url
    page.goto(address)
    page.locator(".comment.own").wait_for()
    assert "receipt" not in page.url
