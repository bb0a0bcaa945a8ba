"""Exports made up for the tests, in the forms of the systems that write such files."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from moderation.exports.found import Fate

Comment = Mapping[str, Any]
Write = Any

_WP = """<?xml version="1.0" encoding="UTF-8" ?>
<!-- generator="made up" -->
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
  xmlns:wp="http://wordpress.org/export/{version}/">
  <channel><title>A blog</title><wp:wxr_version>{version}</wp:wxr_version>
"""
_DISQUS = """<?xml version="1.0" encoding="utf-8"?>
<disqus xmlns="http://disqus.com" xmlns:dsq="http://disqus.com/disqus-internals"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<category dsq:id="9"><forum>blog</forum><title>General</title></category>
"""
_APPROVED = {Fate.APPROVED: "1", Fate.SPAM: "spam", Fate.PENDING: "0", Fate.DELETED: "trash"}
_MODES = {Fate.APPROVED: 1, Fate.PENDING: 2, Fate.DELETED: 4}


def a_comment(number: int, fate: Fate = Fate.APPROVED, **more: Any) -> dict[str, Any]:
    """What there is to say of a comment, in words of our own."""
    return {
        "id": str(number),
        "fate": fate,
        "body": f"Comment number {number} of this page.",
        "name": f"Reader {number % 7}",
        "email": f"reader{number % 7}@example.org",
        "ip": "203.0.113.7",
        # A minute after the one before.
        "at": f"2020-03-{1 + number // 1440 % 28:02d} {number // 60 % 24:02d}:{number % 60:02d}:00",
        "parent": "0",
        "page": "a-post",
    } | more


def wordpress(comments: Iterable[Comment], version: str = "1.2") -> str:
    """A WXR file: pages one after the other, each with its comments."""
    pages: dict[str, list[Comment]] = {}
    for one in comments:
        pages.setdefault(one["page"], []).append(one)
    items = "".join(_item(n, page, found) for n, (page, found) in enumerate(pages.items(), start=1))
    return _WP.format(version=version) + items + "</channel></rss>\n"


def disqus(comments: Iterable[Comment]) -> str:
    """The threads, and then the comments."""
    found = list(comments)
    pages = {page: n for n, page in enumerate(dict.fromkeys(one["page"] for one in found), start=100)}
    threads = "".join(_thread(page, n) for page, n in pages.items())
    return _DISQUS + threads + "".join(_disqus_comment(one, pages) for one in found) + "</disqus>\n"


def isso(comments: Iterable[Comment], path: Path) -> Path:
    """A database as Isso 0.13 makes it."""
    database = sqlite3.connect(path)
    database.executescript(
        """CREATE TABLE threads (id INTEGER PRIMARY KEY, uri VARCHAR(256) UNIQUE, title VARCHAR(256));
        CREATE TABLE comments (tid REFERENCES threads(id), id INTEGER PRIMARY KEY, parent INTEGER,
            created FLOAT NOT NULL, modified FLOAT, mode INTEGER, remote_addr VARCHAR, text VARCHAR,
            author VARCHAR, email VARCHAR, website VARCHAR, likes INTEGER DEFAULT 0,
            dislikes INTEGER DEFAULT 0, voters BLOB NOT NULL, notification INTEGER DEFAULT 0);"""
    )
    for one in comments:
        database.execute(
            "INSERT OR IGNORE INTO threads (uri, title) VALUES (?, ?)", (f"/{one['page']}/", "A post")
        )
        database.execute(
            "INSERT INTO comments (tid, id, parent, created, mode, remote_addr, text, author, email, voters)"
            " SELECT id, ?, ?, strftime('%s', ?), ?, ?, ?, ?, ?, x'00' FROM threads WHERE uri = ?",
            (
                *(one["id"], None if one["parent"] == "0" else one["parent"], one["at"]),
                *(_MODES[one["fate"]], one["ip"], one["body"], one["name"], one["email"]),
                f"/{one['page']}/",
            ),
        )
    database.commit()
    database.close()
    return path


def comment_lines(comments: Iterable[Comment]) -> str:
    """A comment a line."""
    return "".join(
        json.dumps(
            {
                "id": one["id"],
                "status": str(one["fate"]),
                "thread": {"id": one["page"], "url": f"https://blog.example/{one['page']}/"},
                "author": {"name": one["name"], "email": one["email"], "ip": one["ip"]},
                "body": one["body"],
                "created_at": one["at"].replace(" ", "T") + "Z",
                "parent_id": None if one["parent"] == "0" else one["parent"],
            }
        )
        + "\n"
        for one in comments
    )


def _item(number: int, page: str, comments: Iterable[Comment]) -> str:
    return (
        f"<item><title>A post</title><link>https://blog.example/{page}/</link>"
        f"<content:encoded><![CDATA[<p>Hello</p>]]></content:encoded><wp:post_id>{number}</wp:post_id>"
        "<wp:post_date_gmt>2020-02-01 00:00:00</wp:post_date_gmt>"
        + "".join(_wordpress_comment(one) for one in comments)
        + "</item>\n"
    )


def _wordpress_comment(one: Comment) -> str:
    body = one["body"].replace("]]>", "]]]]><![CDATA[>")
    return (
        f"<wp:comment><wp:comment_id>{one['id']}</wp:comment_id>"
        f"<wp:comment_author><![CDATA[{one['name']}]]></wp:comment_author>"
        f"<wp:comment_author_email>{one['email']}</wp:comment_author_email>"
        f"<wp:comment_author_url>{escape(one.get('url', ''))}</wp:comment_author_url>"
        f"<wp:comment_author_IP>{one['ip']}</wp:comment_author_IP>"
        f"<wp:comment_date>2001-01-01 00:00:00</wp:comment_date>"
        f"<wp:comment_date_gmt>{one['at']}</wp:comment_date_gmt>"
        f"<wp:comment_content><![CDATA[{body}]]></wp:comment_content>"
        f"<wp:comment_approved>{_APPROVED[one['fate']]}</wp:comment_approved>"
        f"<wp:comment_type>{one.get('type', 'comment')}</wp:comment_type>"
        f"<wp:comment_parent>{one['parent']}</wp:comment_parent>"
        f"<wp:commentmeta><wp:meta_key>x</wp:meta_key></wp:commentmeta></wp:comment>\n"
    )


def _thread(page: str, number: int) -> str:
    return (
        f'<thread dsq:id="{number}"><id>{page}-own</id><forum>blog</forum><category dsq:id="9"/>'
        f"<link>https://blog.example/{page}/</link><title>A post</title><message/>"
        "<createdAt>2020-02-01T00:00:00Z</createdAt><author><name>Owner</name></author>"
        "<isClosed>false</isClosed><isDeleted>false</isDeleted></thread>\n"
    )


def _disqus_comment(one: Comment, pages: Mapping[str, int]) -> str:
    parent = "" if one["parent"] == "0" else f"<parent dsq:id={quoteattr(one['parent'])}/>"
    return (
        f"<post dsq:id={quoteattr(one['id'])}><id/><message><![CDATA[<p>{one['body']}</p>]]></message>"
        f"<createdAt>{one['at'].replace(' ', 'T')}Z</createdAt>"
        f"<isDeleted>{str(one['fate'] is Fate.DELETED).lower()}</isDeleted>"
        f"<isSpam>{str(one['fate'] is Fate.SPAM).lower()}</isSpam>"
        f"<author><email>{one['email']}</email><name>{one['name']}</name><isAnonymous>true</isAnonymous>"
        f"<username>{one.get('username', '')}</username></author><ipAddress>{one['ip']}</ipAddress>"
        f'<thread dsq:id="{pages[one["page"]]}"/>{parent}</post>\n'
    )
