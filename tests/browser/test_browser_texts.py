"""Whatever readers write is shown as text and does nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import Blog, Opener, write

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

MARKUP = """<script>alert(1)</script><img src=x onerror=alert(2)><b>bold</b> {{ 7 * 7 }} &lt;i&gt;
</div></ol><style>body{display:none}</style><a href="javascript:alert(3)">link</a>"""
STRANGE = {
    "markup": MARKUP,
    "an override of direction": "abc \u202egnp.exe\u202d and \u2066isolated",
    "right to left": "أمشي كل مساء على ضفة النهر، شكراً.",
    "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈 🇪🇺 e\u0301 👍🏽",
    "towers of accents": "z" + "\u0310\u0314\u0351" * 60 + "algo",
    "one word without end": "w" * 3000,
    "a template": "${7*7} #{7*7} <%= 7*7 %> {% raw %}",
}


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_strange_text_is_shown_as_it_was_written(blog: Blog, open_page: Opener, scripts: bool) -> None:
    for body in STRANGE.values():
        blog.publish(body, name=body[:150])
    with open_page(java_script_enabled=scripts) as page:
        assert page.locator(".comment-body").all_text_contents() == list(STRANGE.values())
        assert page.locator(".author").all_text_contents() == [body[:150] for body in STRANGE.values()]
        assert_nothing_broke(page)


def test_strange_text_that_appears_without_a_reload_is_text_too(page: Page) -> None:
    write(page, MARKUP, name="<img src=x onerror=alert(4)>")
    own = page.locator("#list .comment.own")
    own.wait_for()
    assert own.locator(".comment-body").text_content() == MARKUP
    assert own.locator(".author").text_content() == "<img src=x onerror=alert(4)>"
    assert_nothing_broke(page)


def test_twenty_thousand_characters_are_folded_until_they_are_asked_for(
    blog: Blog, open_page: Opener
) -> None:
    blog.publish("evening " * 2499 + "end", "line\n" * 3999 + "end")
    with open_page(viewport={"width": 390, "height": 800}) as page:
        for comment in page.locator(".comment").all():
            assert height(comment.locator(".comment-body")) < 400
            comment.get_by_text("Show the whole comment").click()
            assert height(comment.locator(".comment-body")) > 5000
        assert_nothing_broke(page)


def height(element: Locator) -> float:
    box = element.bounding_box()
    assert box is not None
    return box["height"]


def test_an_address_that_is_not_of_the_web_is_no_link(blog: Blog, open_page: Opener) -> None:
    for url in ("javascript:alert(5)", "data:text/html,hi", " javascript:alert(6)", "//x.example"):
        blog.publish("Hello.", url=url)
    with open_page() as page:
        assert page.locator(".comment").count() == 4
        assert page.locator(".author a").count() == 0


def test_an_authors_website_is_linked_without_recommending_it(blog: Blog, open_page: Opener) -> None:
    blog.publish("Hello.", url='https://example.org/?a="><script>alert(7)</script>')
    with open_page() as page:
        link = page.locator(".author a")
        assert link.get_attribute("rel") == "nofollow ugc noopener"
        assert (link.get_attribute("href") or "").startswith("https://example.org/")


def assert_nothing_broke(page: Page) -> None:
    """The page is no wider than its window, and no element came from a reader's text."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.locator("#list :is(script, style, img, b, i)").count() == 0
    assert page.get_by_role("button", name="Send comment").is_visible()
