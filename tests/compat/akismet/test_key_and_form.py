"""Where the key is found, and how the bytes of a form are read"""

import doctest
import string
from urllib.parse import quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.compat.akismet import call, comment, form
from moderation.compat.akismet.form import read_form
from moderation.compat.akismet.key import ABOUT_KEY, USUAL, find_key
from tests.compat.akismet.conftest import Door, answer, plain
from tests.conftest import ORIGIN

KEYS = st.text(string.ascii_lowercase + string.digits, min_size=12, max_size=12)
TEXT = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"))


@pytest.mark.parametrize("module", [form, call, comment], ids=lambda m: m.__name__)
def test_its_examples_are_true(module) -> None:
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("host", ["{}.rest.akismet.com", "{}.localhost:8099", "{}.rest.akismet.com:443"])
def test_the_key_may_be_the_first_label_of_the_host(door: Door, host: str) -> None:
    fields = urlencode(door.about("score:spam=0.95") | {"blog": ORIGIN}).encode()
    said = door.send("/1.1/comment-check", fields, headers={"Host": host.format(door.site.akismet_key)})
    assert answer(said) == plain("true")
    loud = host.format(door.site.akismet_key.upper())
    assert answer(door.send("/1.1/comment-check", fields, headers={"Host": loud})) == plain("true")
    wrong = host.format("aaaabbbbcccc")
    assert answer(door.send("/1.1/comment-check", fields, headers={"Host": wrong})) == plain("invalid")


def test_the_key_may_be_in_the_address(door: Door) -> None:
    for name in ("api_key", "key"):
        said = door.client.get(f"/1.2/usage-limit?{name}={door.site.akismet_key}")
        assert said.get_json()["usage"] == 0


@given(body=KEYS, query=KEYS, host=KEYS)
def test_the_body_goes_before_the_address_and_both_before_the_host(body: str, query: str, host: str) -> None:
    name = f"{host}.rest.akismet.com"
    for field in USUAL:
        assert find_key({field: body}, {field: query}, name) == body
        assert find_key({}, {field: query}, name) == query
    assert find_key({}, {}, name) == host
    assert find_key({"key": query, "api_key": body}, {}, name) == body
    assert find_key({"key": query, "api_key": body}, {}, name, ABOUT_KEY) == query
    assert find_key({"api_key": body}, {}, name, ABOUT_KEY) == body
    assert find_key({"key": "", "api_key": body}, {}, name, ABOUT_KEY) == ""
    assert find_key({"key": "", "api_key": body}, {}, name) == body


@pytest.mark.parametrize(
    "host", ["", "localhost", "rest.akismet.com", "127.0.0.1:80", "aaaabbbbcccc", "-", "é" * 12 + ".x"]
)
def test_a_host_without_a_key_has_none(host: str) -> None:
    assert find_key({}, {}, host) == ""


@given(st.dictionaries(TEXT.filter(bool), TEXT, max_size=8))
def test_what_a_form_was_made_of_is_read_back(fields: dict[str, str]) -> None:
    assert read_form(urlencode(fields).encode()) == fields


@given(st.binary(max_size=400))
def test_any_bytes_are_a_form(body: bytes) -> None:
    for name, value in read_form(body).items():
        assert "\0" not in name + value
        (name + value).encode()


@given(
    st.binary(max_size=60),
    st.one_of(st.sampled_from(["iso-8859-1", "hex", "zlib", "utf-7", "idna"]), st.text()),
)
def test_any_charset_may_be_declared(raw: bytes, charset: str) -> None:
    body = f"comment_content={quote_plus(raw)}&blog_charset={quote_plus(charset, errors='replace')}"
    assert isinstance(read_form(body.encode())["comment_content"], str)


@pytest.mark.parametrize(
    ("charset", "raw", "text"),
    [
        ("iso-8859-1", b"caf%E9", "café"),
        ("windows-1251", b"%EF%F0%E8%E2%E5%F2", "привет"),
        ("UTF-8", b"caf%C3%A9", "café"),
        ("iso-8859-1", b"caf%C3%A9", "café"),
        ("", b"caf%E9", "café"),
        ("utf-7", b"caf%E9+-", "café -"),
        ("shift_jis", b"%83e%83X%83g", "テスト"),
    ],
)
def test_a_text_is_read_in_the_charset_of_its_blog_unless_it_is_utf_8(
    charset: str, raw: bytes, text: str
) -> None:
    body = b"a=" + raw + b"&blog_charset=" + charset.encode()
    assert read_form(body)["a"] == text
    assert read_form(b"a=" + raw, charset)["a"] == text


def test_the_first_of_many_counts_and_too_many_are_left_out() -> None:
    body = b"a=1&a=2&" + b"&".join(b"n%d=x" % n for n in range(5000))
    found = read_form(body)
    assert found["a"] == "1"
    assert len(found) < 2_001
