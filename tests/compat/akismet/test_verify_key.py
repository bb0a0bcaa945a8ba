"""POST /1.1/verify-key"""

import pytest

from moderation.services.access import NewModerator
from tests.compat.akismet.conftest import Door, answer, plain

BLOG = b"https%3A%2F%2Fblog.example.org"


def test_a_good_key_is_valid(door: Door) -> None:
    said = door.send("/1.1/verify-key", b"key=%b&blog=%b" % (door.site.akismet_key.encode(), BLOG))
    assert answer(said) == plain("valid")
    assert said.headers["X-akismet-server"] == "greenroom"
    assert "X-akismet-debug-help" not in said.headers


def test_a_sites_secret_key_is_good_too(door: Door) -> None:
    said = door.send("/1.1/verify-key", b"key=%b&blog=%b" % (door.site.secret_key.encode(), BLOG))
    assert answer(said) == plain("valid")


@pytest.mark.parametrize("key", ["aaaabbbbcccc", "", "x", "a" * 5000, "%00%FF", "' OR 1=1 --"])
def test_a_bad_key_is_invalid_with_status_200(door: Door, key: str) -> None:
    said = door.send("/1.1/verify-key", b"key=%b&blog=%b" % (key.encode(), BLOG))
    assert answer(said) == plain("invalid")
    assert said.headers["X-akismet-debug-help"]


def test_keys_of_other_doors_are_invalid(door: Door, bruno: NewModerator) -> None:
    for key in (door.site.public_key, bruno.key):
        assert answer(door.send("/1.1/verify-key", b"key=%b&blog=%b" % (key.encode(), BLOG))) == plain(
            "invalid"
        )


def test_wordpress_sends_the_key_in_question_beside_the_stored_one(door: Door) -> None:
    good = door.site.akismet_key.encode()
    bad = b"key=aaaabbbbcccc&blog=%b&api_key=%b" % (BLOG, good)
    assert answer(door.send("/1.1/verify-key", bad)) == plain("invalid")
    assert answer(door.send("/1.1/verify-key", b"key=&blog=%b&api_key=%b" % (BLOG, good))) == plain("invalid")
    fine = b"key=%b&blog=%b&api_key=aaaabbbbcccc" % (good, BLOG)
    assert answer(door.send("/1.1/verify-key", fine)) == plain("valid")


def test_nodebb_sends_only_api_key(door: Door) -> None:
    said = door.send("/1.1/verify-key", b"api_key=%b&blog=%b" % (door.site.akismet_key.encode(), BLOG))
    assert answer(said) == plain("valid")


@pytest.mark.parametrize(
    ("blog", "why"),
    [
        (None, 'Empty "blog" value'),
        ("", 'Empty "blog" value'),
        ("http://", "We were unable to parse your blog URI"),
        ("http://[::1", "We were unable to parse your blog URI"),
    ],
)
def test_without_a_blog_a_good_key_is_invalid(door: Door, blog: str | None, why: str) -> None:
    fields = b"key=" + door.site.akismet_key.encode() + (b"" if blog is None else b"&blog=" + blog.encode())
    said = door.send("/1.1/verify-key", fields)
    assert answer(said) == plain("invalid")
    assert said.headers["X-akismet-debug-help"] == why


def test_a_key_is_bound_to_the_hosts_of_its_site(door: Door) -> None:
    for blog in ("http://blog.example.org", "https://www.blog.example.org/path/", "blog.example.org"):
        assert answer(door.call("/1.1/verify-key", blog=blog)) == plain("valid"), blog
    for blog in (
        "https://evil.example",
        "https://blog.example.org.evil.example",
        "https://a@evil.example/blog.example.org",
    ):
        said = door.call("/1.1/verify-key", blog=blog)
        assert answer(said) == plain("invalid"), blog
        assert said.headers["X-akismet-alert-code"] == "10404"
