"""What the readers of other systems' exports find, and what they refuse"""

import gzip
import io
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderation.exports.comment_lines import LONGEST_LINE, read_comment_lines
from moderation.exports.disqus import read_disqus
from moderation.exports.found import Fate, Found, FoundComment, FoundThread, NotAnExport, Unreadable
from moderation.exports.isso import read_isso
from moderation.exports.wordpress import read_wordpress
from tests.exports.written import a_comment, comment_lines, disqus, isso, wordpress

Read = Callable[[io.BytesIO], Iterator[Found]]
XML = pytest.mark.parametrize(("read", "write"), [(read_wordpress, wordpress), (read_disqus, disqus)])
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ue000"), min_size=1)


def read(reader: Read, text: str | bytes) -> list[FoundComment]:
    """Every comment found in a file with this content."""
    found = list(reader(io.BytesIO(text if isinstance(text, bytes) else text.encode())))
    assert all(isinstance(one, FoundComment) for one in found)
    return [one for one in found if isinstance(one, FoundComment)]


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_wordpress_tells_everything_of_a_comment_and_its_page(version: str) -> None:
    (found,) = read(
        read_wordpress, wordpress([a_comment(7, url="https://a.example/?a&b", parent="3")], version)
    )
    since = datetime(2020, 2, 1, tzinfo=UTC)
    assert found == FoundComment(
        id="7",
        fate=Fate.APPROVED,
        body="Comment number 7 of this page.",
        thread=FoundThread("1", "https://blog.example/a-post/", "A post", since),
        author={
            "name": "Reader 0",
            "email": "reader0@example.org",
            "url": "https://a.example/?a&b",
            "ip": "203.0.113.7",
        },
        at=datetime(2020, 3, 1, 0, 7, tzinfo=UTC),
        parent="3",
    )


@pytest.mark.parametrize(
    ("approved", "fate"),
    [("1", "approved"), ("0", "pending"), ("spam", "spam"), ("trash", "deleted"), ("odd", "pending")],
)
def test_wordpress_has_its_own_words_for_fates(approved: str, fate: str) -> None:
    text = wordpress([a_comment(1)]).replace("<wp:comment_approved>1<", f"<wp:comment_approved>{approved}<")
    assert [one.fate for one in read(read_wordpress, text)] == [fate]


@pytest.mark.parametrize("kind", ["pingback", "trackback", "order_note"])
def test_wordpress_announcements_are_no_comments(kind: str) -> None:
    assert read(read_wordpress, wordpress([a_comment(1, type=kind)]))[0].fate is Fate.NO_COMMENT


def test_wordpress_without_a_time_of_greenwich_falls_back_to_the_blogs_own() -> None:
    (found,) = read(read_wordpress, wordpress([a_comment(1, at="0000-00-00 00:00:00")]))
    assert found.at == datetime(2001, 1, 1, tzinfo=UTC)


def test_wordpress_comments_know_their_own_page_only() -> None:
    found = read(read_wordpress, wordpress([a_comment(1, page="one"), a_comment(2, page="two")]))
    assert [one.thread.url for one in found] == ["https://blog.example/one/", "https://blog.example/two/"]


def test_disqus_tells_everything_of_a_comment_and_its_thread() -> None:
    (found,) = read(read_disqus, disqus([a_comment(7, parent="3")]))
    assert found == FoundComment(
        id="7",
        fate=Fate.APPROVED,
        # HTML stays as it is: text like any other.
        body="<p>Comment number 7 of this page.</p>",
        thread=FoundThread(
            "a-post-own", "https://blog.example/a-post/", "A post", datetime(2020, 2, 1, tzinfo=UTC)
        ),
        author={"name": "Reader 0", "email": "reader0@example.org", "ip": "203.0.113.7"},
        at=datetime(2020, 3, 1, 0, 7, tzinfo=UTC),
        parent="3",
    )


def test_disqus_has_spam_deleted_and_nameless_comments() -> None:
    comments = [a_comment(1, Fate.SPAM), a_comment(2, Fate.DELETED), a_comment(3, name="", username="reader")]
    found = read(read_disqus, disqus(comments))
    assert [one.fate for one in found] == [Fate.SPAM, Fate.DELETED, Fate.APPROVED]
    assert found[2].author["name"] == "reader"


def test_isso_is_read_without_writing(tmp_path: Path) -> None:
    fates = [Fate.APPROVED, Fate.PENDING, Fate.DELETED]
    path = isso([a_comment(n, fate, parent=str(n - 1)) for n, fate in enumerate(fates)], tmp_path / "c.db")
    path.chmod(0o400)
    before = path.read_bytes()
    found = list(read_isso(str(path)))
    assert [one.fate for one in found] == fates
    assert found[1] == FoundComment(
        id="1",
        fate=Fate.PENDING,
        body="Comment number 1 of this page.",
        thread=FoundThread("/a-post/", "/a-post/", "A post", datetime(2020, 3, 1, tzinfo=UTC)),
        author={"name": "Reader 1", "email": "reader1@example.org", "url": "", "ip": "203.0.113.7"},
        at=datetime(2020, 3, 1, 0, 1, tzinfo=UTC),
    )
    assert found[2].parent == "1"
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (before, [path])


def test_isso_with_a_text_that_is_no_text_spoils_no_other(tmp_path: Path) -> None:
    path = isso([a_comment(1), a_comment(2)], tmp_path / "c.db")
    with sqlite3.connect(path) as database:
        database.execute("UPDATE comments SET text = CAST(x'ff41' AS TEXT), created = 'x' WHERE id = 1")
    first, second = read_isso(str(path))
    assert (first.body, first.at) == ("\udcffA", None)
    assert second.body == "Comment number 2 of this page."


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_isso_refuses_what_is_no_database_of_it(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "c.db"
    path.write_bytes(content)
    with pytest.raises(NotAnExport, match="no readable database of Isso"):
        list(read_isso(str(path)))


def test_lines_tell_everything_of_a_comment() -> None:
    (found,) = read(read_comment_lines, comment_lines([a_comment(7, parent="3")]))
    assert (found.id, found.fate, found.parent) == ("7", Fate.APPROVED, "3")
    assert found.thread == FoundThread("a-post", "https://blog.example/a-post/")
    assert found.at == datetime(2020, 3, 1, 0, 7, tzinfo=UTC)


def test_a_line_that_is_none_is_told_by_its_number_and_the_rest_goes_on() -> None:
    good = comment_lines([a_comment(1)]).encode()
    bad = [
        b"{",
        b"[1]",
        b"\xff",
        b'{"status": "odd"}',
        b'{"status": []}',
        b"[" * 50_000,
        b"x" * (3 * LONGEST_LINE),
    ]
    found = list(read_comment_lines(io.BytesIO(b"\n".join([*bad, b"", good]))))
    assert [one.where for one in found if isinstance(one, Unreadable)] == [f"line {n}" for n in range(1, 8)]
    assert isinstance(found[-1], FoundComment)


@XML
def test_a_doctype_is_refused_whatever_it_would_do(read: Read, write: Callable[..., str]) -> None:
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<!DOCTYPE rss [<!ENTITY e0 "ha">{levels}]>'
    head, _, rest = write([a_comment(1)]).partition("?>")
    text = f"{head}?>{bomb}{rest}".replace("Comment number 1", "]]>&e9;<![CDATA[")
    with pytest.raises(NotAnExport, match=r"line 1, column \d+: a DOCTYPE"):
        list(read(io.BytesIO(text.encode())))


@XML
@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "line 1, column 1: no element found"),
        (b"{}", "line 1, column 1: not well-formed"),
        (b"<html><body/></html>", "line 1, column 1: it does not begin as one"),
        (b'<rss version="2.0"><channel/></rss>', "it does not begin as one"),
        (b"no export", "line 1, column 1: syntax error"),
        (b"PK\x03\x04 a zip", "it is packed; unpack it first"),
        (gzip.compress(b"<rss/>", mtime=0), "it is packed; unpack it first"),
        (b'<?xml version="1.0" encoding="no-such-code"?><rss/>', "encoding"),
        (b'<?xml version="1.0" encoding="utf-16"?><rss/>', "encoding"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_the_place(
    read: Read, write: Callable[..., str], text: bytes, why: str
) -> None:
    with pytest.raises(NotAnExport, match=why):
        list(read(io.BytesIO(text)))


@XML
def test_a_file_that_ends_too_early_yields_what_came_before(read: Read, write: Callable[..., str]) -> None:
    whole = write([a_comment(1), a_comment(2)])
    reader = read(io.BytesIO(whole[: whole.index("Comment number 2")].encode()))
    assert next(reader).id == "1"  # type: ignore[union-attr]
    with pytest.raises(NotAnExport, match=r"line \d+, column \d+: unclosed"):
        next(reader)


@XML
def test_bytes_that_are_not_of_the_encoding_are_refused_with_the_place(
    read: Read, write: Callable[..., str]
) -> None:
    text = write([a_comment(1), a_comment(2, body="Schöne Grüße")]).encode("latin-1")
    reader = read(io.BytesIO(text))
    assert next(reader).id == "1"  # type: ignore[union-attr]
    with pytest.raises(NotAnExport, match=r"line \d+, column \d+: not well-formed"):
        next(reader)


@XML
@pytest.mark.parametrize("encoding", ["iso-8859-1", "windows-1252", "utf-16"])
def test_an_encoding_that_is_named_is_read(read: Read, write: Callable[..., str], encoding: str) -> None:
    text = write([a_comment(1, body="Schöne Grüße")])
    named = text.replace("UTF-8", encoding).replace("utf-8", encoding).encode(encoding)
    assert "Schöne Grüße" in next(read(io.BytesIO(named))).body  # type: ignore[union-attr]


@XML
def test_a_character_that_xml_does_not_know_costs_no_more_than_its_comment(
    read: Read, write: Callable[..., str]
) -> None:
    text = write([a_comment(1, body="a\x08b"), a_comment(2, body="a\0b"), a_comment(3)])
    bodies = [one.body for one in read(io.BytesIO(text.encode()))]  # type: ignore[union-attr]
    assert ("a b" in bodies[0], "a\0b" in bodies[1], len(bodies)) == (True, True, 3)


@XML
def test_empty_lines_before_the_beginning_spoil_nothing(read: Read, write: Callable[..., str]) -> None:
    assert len(list(read(io.BytesIO(b"\r\n\n " + write([a_comment(1)]).encode())))) == 1


@XML
def test_elements_without_end_are_refused(read: Read, write: Callable[..., str]) -> None:
    text = write([a_comment(1)]).replace("<title>", "<title>" + "<b>" * 100_000, 1)
    with pytest.raises(NotAnExport, match="without end"):
        list(read(io.BytesIO(text.encode())))


@settings(max_examples=60, deadline=None)
@given(TEXTS, TEXTS, TEXTS)
def test_any_text_comes_out_as_it_went_in(body: str, name: str, other: str) -> None:
    clean = [text.replace("]]>", "") for text in (body, name)]
    one = a_comment(1, body=clean[0], name=clean[1])
    (found,) = read(
        read_wordpress,
        wordpress(
            [
                one,
            ]
        ),
    )
    assert (found.body, found.author["name"]) == tuple(clean)
    (found,) = read(read_disqus, disqus([one | {"name": "x"}]))
    assert found.body == f"<p>{clean[0]}</p>"
    (found,) = read(read_comment_lines, comment_lines([one | {"body": other}]))
    assert found.body == other


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_spoiled_file_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    reader, write = data.draw(
        st.sampled_from(
            [(read_wordpress, wordpress), (read_disqus, disqus), (read_comment_lines, comment_lines)]
        )
    )
    text = bytearray(write([a_comment(1), a_comment(2, Fate.SPAM)]).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at : at + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=8))
    try:
        list(reader(io.BytesIO(bytes(text))))  # type: ignore[operator]
    except NotAnExport as error:
        assert "\n" not in str(error)
