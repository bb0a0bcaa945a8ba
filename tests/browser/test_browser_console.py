"""The console in a real browser: decide, undo, several at once, conflicts, hostile texts, no JavaScript"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from moderation.models import QueueItem, Role
from tests.browser.conftest import Blog, Opener
from tests.browser.desk import Desk, cards, sign_in
from tests.browser.test_browser_access import violations

if TYPE_CHECKING:
    from playwright.sync_api import Page

HOSTILE = """<script>document.title = "taken"; fetch("https://evil.example")</script>
<img src=x onerror=alert(1)></textarea></div><b>bold</b> javascript:alert(2) \u202egnp.exe
\u0645\u0631\u062d\u0628\u0627 \U0001f469\u200d\U0001f680 {{ 7*7 }} &amp; """


@pytest.fixture
def desk(blog: Blog) -> Desk:
    """The console with nothing to decide."""
    found = Desk(blog)
    found.empty()
    return found


def key(page: Page, name: str) -> None:
    page.keyboard.press(name)
    page.wait_for_load_state()


def test_twenty_comments_are_worked_with_the_keyboard_alone(desk: Desk, open_page: Opener) -> None:
    ids = desk.hold(*(f"comment number {n}" for n in range(20)))
    with open_page("/console") as page:
        sign_in(page, desk.key("Kim"))
        key(page, "j")
        for n in range(20):
            assert cards(page) == 20 - n
            with page.expect_navigation():
                page.keyboard.press("s" if n % 2 else "a")
        page.get_by_text("Nothing needs a person.").wait_for()
    assert desk.statuses(ids) == ["approved", "rejected"] * 10


def test_a_decision_is_taken_back_with_one_key(desk: Desk, open_page: Opener) -> None:
    ids = desk.hold("a word", "another word")
    with open_page("/console") as page:
        sign_in(page, desk.key("Kim"))
        page.keyboard.press("j")
        with page.expect_navigation():
            page.keyboard.press("a")
        page.get_by_role("status").get_by_text("Approved.").wait_for()
        with page.expect_navigation():
            page.keyboard.press("u")
        page.get_by_text("Taken back").wait_for()
        assert cards(page) == 2
    assert desk.statuses(ids) == ["held", "held"]


def test_of_two_who_decide_one_comment_the_second_is_told_who_was_first(
    desk: Desk, open_page: Opener
) -> None:
    ids = desk.hold("a word")
    with open_page("/console") as first, open_page("/console") as second:
        sign_in(first, desk.key("Kim"))
        sign_in(second, desk.key("Robin"))
        first.get_by_role("button", name="Approve", exact=True).click()
        first.get_by_text("Approved.").wait_for()
        with second.expect_response("**/decision") as answered:
            second.get_by_role("button", name="Reject", exact=True).click()
        assert answered.value.status == 412
        second.get_by_role("alert").get_by_text("Kim approved this comment").wait_for()
    assert desk.statuses(ids) == ["approved"]


def test_several_are_chosen_and_decided_with_one_undo(desk: Desk, open_page: Opener) -> None:
    ids = desk.hold(*(f"number {n}" for n in range(6)))
    with open_page("/console") as page:
        sign_in(page, desk.key("Kim"))
        ticks = page.locator(".tick")
        ticks.nth(1).click()
        ticks.nth(4).click(modifiers=["Shift"])
        page.get_by_text("4 chosen").wait_for()
        page.locator(".several").get_by_role("button", name="Reject them").click()
        page.get_by_text("4 rejected as spam.").wait_for()
        assert desk.statuses(ids) == ["held", *["rejected"] * 4, "held"]
        page.get_by_role("button", name="Undo all").click()
        page.get_by_text("4 taken back.").wait_for()
        page.keyboard.press("j")
        page.keyboard.press("x")
        page.get_by_text("1 chosen").wait_for()
        page.get_by_role("button", name="Choose all 6").click()
        page.get_by_text("6 chosen").wait_for()
    assert desk.statuses(ids) == ["held"] * 6


def test_a_claim_that_ended_is_nobodys(desk: Desk, open_page: Opener) -> None:
    desk.hold("a word")
    with open_page("/console") as first, open_page("/console") as second:
        sign_in(first, desk.key("Kim"))
        sign_in(second, desk.key("Robin"))
        first.get_by_role("link", name="Open").click()
        first.get_by_role("button", name="Claim it").click()
        first.get_by_text("You have claimed this").wait_for()
        second.reload()
        second.get_by_text("Kim has claimed this").wait_for()
        with desk.blog.database.write() as session:
            past = datetime.now(UTC) - timedelta(seconds=1)
            session.execute(update(QueueItem).where(QueueItem.closed_at.is_(None)).values(claimed_until=past))
        second.reload()
        assert second.get_by_text("has claimed this").count() == 0
        second.get_by_role("button", name="Approve", exact=True).click()
        second.get_by_text("Approved.").wait_for()


def test_a_session_that_ended_leads_to_the_sign_in_and_back(desk: Desk, open_page: Opener) -> None:
    desk.hold("a word")
    name = desk.key("Kim")
    with open_page("/console") as page:
        sign_in(page, name)
        page.get_by_role("link", name="Open").click()
        address = page.url
        page.context.clear_cookies()
        page.reload()
        page.get_by_label("Your key").fill(name)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.get_by_role("heading", name="Why it is here").wait_for()
        assert page.url.split("?")[0] == address.split("?")[0]


def test_a_hostile_comment_is_text_and_nothing_else(desk: Desk, open_page: Opener) -> None:
    desk.hold(HOSTILE, HOSTILE + "x" * (20_000 - len(HOSTILE)), name=HOSTILE[:150])
    with open_page("/console") as page:
        sign_in(page, desk.key("Kim"))
        assert cards(page) == 2
        assert "Queue" in page.title()
        assert page.locator("[data-card] script, [data-card] img, [data-card] b").count() == 0
        assert page.locator(".card-text a").count() == 0
        assert page.get_by_text("U+202E").count() >= 2
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.get_by_role("link", name="Open").last.click()
        page.get_by_role("heading", name="What happened so far").wait_for()
        assert page.locator("article script, article img, article b").count() == 0
        assert "{{ 7*7 }}" in page.locator(".card-text").inner_text()


def test_all_that_is_needed_works_without_javascript(desk: Desk, open_page: Opener) -> None:
    ids = desk.hold("apples", "pears", "plums")
    with open_page("/console", java_script_enabled=False) as page:
        sign_in(page, desk.key("Kim"))
        page.get_by_role("button", name="Approve", exact=True).first.click()
        page.get_by_text("Approved.").wait_for()
        page.get_by_role("button", name="Undo").click()
        page.get_by_text("Taken back").wait_for()
        page.get_by_label("Text").fill("pears")
        page.get_by_role("button", name="Filter").click()
        assert cards(page) == 1
        page.get_by_role("button", name="Reject", exact=True).click()
        page.get_by_text("Rejected as spam.").wait_for()
        page.goto("/console")
        page.locator(".tick").first.check()
        page.get_by_role("button", name="Approve them").click()
        page.get_by_text("1 approved.").wait_for()
        page.goto("/console/history")
        page.get_by_role("button", name="Undo").first.click()
        page.get_by_text("Taken back").wait_for()
    assert sorted(desk.statuses(ids)) == ["held", "held", "rejected"]


def test_single_keys_can_be_switched_off_and_do_nothing_while_typing(desk: Desk, open_page: Opener) -> None:
    ids = desk.hold("a word")
    with open_page("/console") as page:
        sign_in(page, desk.key("Kim"))
        page.keyboard.press("/")
        page.keyboard.type("asdr")
        assert page.get_by_label("Text").input_value() == "asdr"
        page.get_by_label("Text").fill("")
        page.get_by_role("heading", name="Queue", exact=True).click()
        page.keyboard.press("?")
        page.get_by_label("Single keys do something").uncheck()
        page.get_by_role("button", name="Close").click()
        page.keyboard.press("j")
        page.keyboard.press("a")
        assert cards(page) == 1
    assert desk.statuses(ids) == ["held"]


def test_a_severe_text_is_covered(desk: Desk, open_page: Opener) -> None:
    desk.hold("a word")
    with open_page("/console") as page:
        sign_in(page, desk.key("Kim"))
        page.goto("/console/me")
        page.get_by_role("button", name="Show them at once").click()
        page.get_by_role("button", name="Cover them again").wait_for()


def test_axe_finds_no_violation_on_any_page(desk: Desk, open_page: Opener) -> None:
    desk.hold("see http://watches.example now", "w" * 600, HOSTILE)
    with open_page("/console", reduced_motion="reduce") as page:
        sign_in(page, desk.key("Kim", Role.MAINTAINER))
        page.get_by_role("button", name="Approve", exact=True).first.click()
        page.get_by_text("Approved.").wait_for()
        item = page.get_by_role("link", name="Open").first.get_attribute("href") or ""
        found = {}
        for path in (*PAGES, f"/console/sites/{desk.blog.site_id}", item, "/console"):
            page.goto(path)
            if path == "/console":
                page.locator(".tick").first.check()
            for width in (390, 768, 1440):
                page.set_viewport_size({"width": width, "height": 900})
                assert page.evaluate("document.documentElement.scrollWidth") == width, path
                for scheme in ("light", "dark"):
                    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                    found[path, width, scheme] = violations(page)
        assert {where: what for where, what in found.items() if what} == {}


PAGES = (
    "/console/history",
    "/console/statistics",
    "/console/models",
    "/console/sites",
    "/console/people",
    "/console/me",
)


def test_the_queue_is_light_enough_to_be_quick(desk: Desk, open_page: Opener) -> None:
    desk.hold(*(f"an ordinary comment of some length, the {n}th of them " * 6 for n in range(20)))
    with open_page("/console") as page:
        sign_in(page, desk.key("Kim"))
        weighed: list[int] = []
        page.on("response", lambda answer: weighed.append(len(answer.body())))
        page.reload()
        page.wait_for_load_state("networkidle")
        usable = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
        print(
            f"queue of 20: {sum(weighed) / 1000:.0f} kB with style and script, usable after {usable:.0f} ms"
        )
        assert sum(weighed) < 100_000
