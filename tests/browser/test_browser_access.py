"""For everybody: keyboard, screen reader, small windows, both colour schemes; and nothing from elsewhere."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import Blog, Opener, write

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_axe_finds_no_violation(blog: Blog, open_page: Opener) -> None:
    parent = blog.publish("Where is this bench?", name="Noor", url="https://example.org/")
    blog.publish("By the lock.", "evening " * 500, parent=parent)
    blog.set_policy({"mode": "hold_everything"})
    with open_page(reduced_motion="reduce") as page:
        page.get_by_role("link", name="Reply to Noor").click()
        write(page, "A comment that waits.")
        page.locator(".fate-held").wait_for()
        write(page, " ", name=" ")
        for width in (390, 1440):
            page.set_viewport_size({"width": width, "height": 900})
            assert violations(page) == []
        page.emulate_media(color_scheme="dark")
        assert violations(page) == []


def test_axe_finds_no_violation_on_the_page_of_a_form_problem(open_page: Opener) -> None:
    with open_page(java_script_enabled=False) as page:
        write(page, "evening " * 2501)
        # axe needs a script, and this page is only ever seen without: look at a copy of it.
        copy = page.content()
    with open_page() as page:
        page.route("**/copy", lambda route: route.fulfill(body=copy, content_type="text/html"))
        page.goto("/copy")
        assert violations(page) == []


def violations(page: Page) -> list[str]:
    """What axe-core, from its Python package, says of the page."""
    spec = importlib.util.find_spec("axe_playwright_python")
    if spec is None or spec.origin is None:
        pytest.skip("axe needs the dependency group `browser`")
    page.evaluate((Path(spec.origin).parent / "axe.min.js").read_text(encoding="utf-8"))
    # best-practice is left out: it is taste, not WCAG.
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    found = page.evaluate("tags => axe.run(document, {runOnly: tags})", tags)
    return [f"{v['id']}: {[node['html'][:120] for node in v['nodes']]}" for v in found["violations"]]


def test_the_page_fits_its_window(blog: Blog, page: Page) -> None:
    blog.publish("w" * 500, name="n" * 200)
    page.reload()
    for width in (320, 390, 768, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_comment_can_be_written_with_the_keyboard_alone(page: Page) -> None:
    stops = []
    for _ in range(12):
        page.keyboard.press("Tab")
        stops.append(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
        typed = {"name": "Tomasz", "body": "Typed without a mouse."}.get(stops[-1])
        if typed:
            page.keyboard.type(typed)
        if stops[-1] == "Send comment":
            break
    assert stops[0] == "Skip to the text"
    assert "honeypot" not in stops
    page.keyboard.press("Enter")
    page.locator("#list .comment.own").wait_for()
    assert page.evaluate("document.activeElement.id") == "fate"


def test_every_target_is_large_enough_to_be_hit(blog: Blog, open_page: Opener) -> None:
    blog.publish("evening " * 400)
    with open_page(viewport={"width": 390, "height": 900}) as page:
        small = page.evaluate(
            """() => [...document.querySelectorAll('a, button, summary, input:not([type=hidden]), textarea')]
            .filter((e) => !e.closest('.trap, .skip') && e.getClientRects().length)
            .filter((e) => e.getBoundingClientRect().height < 24 || e.getBoundingClientRect().width < 24)
            .map((e) => e.outerHTML.slice(0, 100))"""
        )
        assert small == []


def test_the_page_forbids_what_it_does_not_need(page: Page) -> None:
    response = page.reload()
    assert response is not None
    headers = response.headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


def test_the_api_page_renders_its_document_from_this_host_alone(open_page: Opener) -> None:
    with open_page("/api/docs/") as page:
        page.locator(".opblock-summary-path").first.wait_for()
        assert page.locator(".opblock").count() > 10
        assert page.get_by_text("OAS 3.1").first.is_visible()
        page.locator(".opblock-summary-path", has_text="/api/v1/comments").first.click()
        page.get_by_text("Hand in a comment").first.wait_for()
        assert page.locator(".errors-wrapper").count() == 0
