"""Whole conversations as WordPress, Discourse and NodeBB have them: fields, headers and their order"""

from urllib.parse import urlencode

from werkzeug.test import TestResponse

from moderation.models import Comment
from tests.compat.akismet.conftest import FORM, MAYBE, SPAM, Door, Kept, answer, plain
from tests.conftest import ORIGIN

THANKS = plain("Thanks for making the web a better place.")


def wordpress(door: Door, call: str, **fields: str) -> TestResponse:
    """As its plugin sends: the stored key last, the charset named, HTTP's own Host."""
    body = urlencode(fields | {"api_key": door.site.akismet_key}).encode()
    headers = {"Host": "rest.akismet.com", "User-Agent": "WordPress/6.1.9 | Akismet/5.0.2"}
    return door.send(f"/1.1/{call}", body, content_type=f"{FORM}; charset=UTF-8", headers=headers)


def test_wordpress_takes_a_key_asks_and_reports(door: Door, kept: Kept) -> None:
    key = door.site.akismet_key
    assert answer(wordpress(door, "verify-key", key=key, blog=ORIGIN)) == plain("valid")
    assert wordpress(door, "get-subscription", key=key, blog=ORIGIN).get_json()["status"] == "active"
    comment = {
        "comment_post_ID": "1",
        "comment_author": "Reader",
        "comment_author_email": "reader@example.org",
        "comment_author_url": "",
        "comment_content": MAYBE,
        "comment_type": "comment",
        "comment_parent": "0",
        "user_ID": "0",
        "user_ip": "203.0.113.9",
        "user_agent": "Mozilla/5.0",
        "referrer": f"{ORIGIN}/a-post/",
        "blog": ORIGIN,
        "blog_lang": "en_US",
        "blog_charset": "UTF-8",
        "permalink": f"{ORIGIN}/a-post/",
        "akismet_comment_nonce": "failed",
        "POST_comment": MAYBE,
        "HTTP_HOST": "blog.example.org",
        "comment_post_modified_gmt": "2026-11-27 06:00:00",
    }
    checked = wordpress(door, "comment-check", **comment)
    assert answer(checked) == plain("true")
    report = {
        **comment,
        "reporter": "admin",
        "site_domain": "blog.example.org",
        "comment_check_response": "true",
    }
    reported = wordpress(door, "submit-ham", **report, guid=checked.headers["X-akismet-guid"])
    assert answer(reported) == THANKS
    assert answer(wordpress(door, "comment-check", **comment, recheck_reason="recheck_queue")) == plain(
        "false"
    )
    assert kept.labels() == [("spam", False, "akismet")]
    assert (
        wordpress(door, "get-stats", key=key, blog=ORIGIN, **{"from": "all"}).get_json()["false_positives"]
        == 1
    )
    assert answer(wordpress(door, "deactivate", key=key, blog=ORIGIN)) == plain("deactivated")


def discourse(door: Door, call: str, **fields: str) -> TestResponse:
    """As excon sends: the key in the host's name, with the port of https."""
    headers = {
        "Host": f"{door.site.akismet_key}.rest.akismet.com:443",
        "User-Agent": "Discourse/3.5 | Akismet/3.0.0",
    }
    return door.send(f"/1.1/{call}", urlencode(fields | {"blog": ORIGIN}).encode(), headers=headers)


def test_discourse_asks_about_a_long_text_and_reports(door: Door, kept: Kept) -> None:
    post = {
        "content_type": "forum-post",
        "permalink": f"{ORIGIN}/t/topic/7/2",
        "comment_author": "reader",
        "comment_content": "word " * 6_300 + SPAM,
        "comment_author_email": "reader@example.org",
        "user_ip": "203.0.113.9",
        "referrer": ORIGIN,
        "user_agent": "Mozilla/5.0",
    }
    assert len(post["comment_content"]) < 32_000
    checked = discourse(door, "comment-check", **post)
    assert answer(checked) == plain("true")
    assert "X-akismet-error" not in checked.headers
    assert answer(discourse(door, "submit-ham", **post)) == THANKS
    assert kept.comments() == [("approved", "clean")]


def nodebb(door: Door, call: str, **fields: str) -> TestResponse:
    """As spam-be-gone sends: always `api_key`, in the body."""
    body = urlencode({"api_key": door.site.akismet_key, "blog": ORIGIN} | fields).encode()
    return door.send(f"/1.1/{call}", body, headers={"Host": "rest.akismet.com"})


def test_nodebb_asks_again_when_a_text_was_edited(door: Door, kept: Kept) -> None:
    assert answer(nodebb(door, "verify-key")) == plain("valid")
    assert answer(nodebb(door, "verify-key", api_key="aaaabbbbcccc")) == plain("invalid")
    post = {
        "user_ip": "203.0.113.9",
        "user_agent": "Mozilla/5.0",
        "referrer": f"{ORIGIN}/topic/1",
        "permalink": f"{ORIGIN}/post/12",
        "comment_type": "forum-post",
        "comment_author": "reader",
        "comment_author_email": "reader@example.org",
        "comment_content": "A kind word.",
    }
    assert answer(nodebb(door, "comment-check", **post)) == plain("false")
    edited = post | {"comment_content": SPAM, "recheck_reason": "edit"}
    assert answer(nodebb(door, "comment-check", **edited)) == plain("true")
    assert answer(nodebb(door, "submit-spam", **edited)) == THANKS
    assert [one.thread_id for one in kept.all(Comment)] == [kept.all(Comment)[0].thread_id] * 2
