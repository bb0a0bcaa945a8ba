"""Importing a site's history: what a reader of exports found is checked and stored in pieces."""

import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import IO, Any
from urllib.parse import urlsplit

from marshmallow import ValidationError

from moderation.database import Database
from moderation.domain.status import Action
from moderation.exports.comment_lines import read_comment_lines
from moderation.exports.disqus import read_disqus
from moderation.exports.found import Fate, Found, FoundComment, FoundThread, NotAnExport, Unreadable
from moderation.exports.isso import read_isso
from moderation.exports.wordpress import read_wordpress
from moderation.schemas.comments import EditSchema
from moderation.schemas.fields import EMAIL_LENGTH, KEY_LENGTH, NAME_LENGTH, TITLE_LENGTH, URL_LENGTH
from moderation.services.accept import NewComment
from moderation.services.audit import COMMAND_LINE, record
from moderation.services.importing import Outcome, PastComment, look_through, take_past

# Comments of one commit.
COMMENTS_TOGETHER = 500
KEPT_PROBLEMS = 100
NAMELESS = "Anonymous"
_BODY = EditSchema()
_ID = re.compile(r"[\w.:/+=-]{1,100}")
_UNUSABLE = re.compile("[\0\ud800-\udfff]")


class Unusable(Exception):
    """Why a comment cannot be stored; never with its text."""


@dataclass(frozen=True)
class Kind:
    """A kind of export: how it is read, what its ids begin with here, and what its threads are known by."""

    read: Callable[[IO[bytes]], Iterator[Found]]
    prefix: str
    thread_id: str = "url"


KINDS = {
    "wordpress": Kind(read_wordpress, "wordpress:"),
    "disqus": Kind(read_disqus, "disqus:"),
    "isso": Kind(lambda source: read_isso(source.name), "isso:"),
    # Whoever writes lines writes the site's own ids.
    "jsonl": Kind(read_comment_lines, "", "id"),
}
THREAD_IDS = ("url", "path", "id")
_ACTIONS = {Fate.APPROVED: Action.APPROVE, Fate.SPAM: Action.REJECT, Fate.PENDING: None}


@dataclass
class Report:
    """What became of the comments of a file; of the refused ones the first are named."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    deleted: int = 0
    no_comments: int = 0
    refused: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)

    def refuse(self, which: str, why: str) -> None:
        """Note that one cannot be used."""
        self.refused += 1
        if len(self.problems) < KEPT_PROBLEMS:
            self.problems.append((which, why))

    def figures(self) -> dict[str, int]:
        """Every count by its name."""
        more = {"deleted": self.deleted, "no_comments": self.no_comments, "refused": self.refused}
        return {str(one): self.outcomes[one] for one in Outcome} | more


def import_history(
    database: Database,
    site_id: str,
    kind: Kind,
    found: Iterable[Found],
    report: Report,
    *,
    thread_id: str | None = None,
    dry_run: bool = False,
) -> None:
    """Store what a reader found and is not there yet; the report tells how far it came, whatever ends it.

    What was stored before an interruption stays, and the same file once more completes it. Raises NotFound,
    and NotAnExport after storing what could be read.
    """
    store = partial(_look, database, site_id) if dry_run else partial(_store, database, site_id)
    check = partial(_checked, kind, thread_id or kind.thread_id)
    # Also for a file without comments: is there such a site?
    store([])
    for piece in _pieces(found):
        usable = [past for one in piece if (past := _sorted_out(one, check, report)) is not None]
        report.outcomes += store(usable)


def note_import(database: Database, site_id: str, name: str, report: Report) -> None:
    """Keep in the record of administration that a history was imported."""
    with database.write() as session:
        details: dict[str, Any] = {"format": name, **report.figures()}
        record(session, COMMAND_LINE, "history imported", site_id, datetime.now(UTC), **details)


def _look(database: Database, site_id: str, comments: list[PastComment]) -> Counter[Outcome]:
    with database.read() as session:
        return look_through(session, site_id, comments)


def _store(database: Database, site_id: str, comments: list[PastComment]) -> Counter[Outcome]:
    with database.write() as session:
        return take_past(session, site_id, comments, datetime.now(UTC))


def _pieces(found: Iterable[Found]) -> Iterator[list[Found]]:
    """Pieces of the file; an error comes after what was read before it."""
    piece: list[Found] = []
    try:
        for one in found:
            piece.append(one)
            if len(piece) >= COMMENTS_TOGETHER:
                yield piece
                piece = []
    except NotAnExport:
        yield piece
        raise
    yield piece


Check = Callable[[FoundComment], PastComment]


def _sorted_out(found: Found, check: Check, report: Report) -> PastComment | None:
    """The comment to be stored, if it is one."""
    if isinstance(found, Unreadable):
        report.refuse(found.where, found.why)
    elif found.fate is Fate.NO_COMMENT:
        report.no_comments += 1
    elif found.fate is Fate.DELETED:
        report.deleted += 1
    else:
        try:
            return check(found)
        except Unusable as error:
            report.refuse(f"comment {_shown(found.id)}", str(error))
    return None


def _checked(kind: Kind, thread_id: str, found: FoundComment) -> PastComment:
    """A comment that can be stored; raises Unusable."""
    if not _ID.fullmatch(found.id):
        raise Unusable("it has no id that can be used")
    if found.at is None:
        raise Unusable("it has no time")
    body = _body(found.body)
    # The clock of another machine may be wrong; nothing is from the time to come.
    at = min(found.at, datetime.now(UTC))
    url = _plain(found.thread.url, URL_LENGTH)
    new = NewComment(
        thread_key=_thread_key(found.thread, thread_id),
        thread_url=url if url.startswith(("http://", "https://")) else None,
        thread_title=_plain(found.thread.title, TITLE_LENGTH) or None,
        body=body,
        author=_author(found.author),
        external_id=kind.prefix + found.id,
    )
    answers = found.parent if found.parent != found.id and _ID.fullmatch(found.parent) else None
    return PastComment(
        new,
        at,
        _ACTIONS[found.fate],
        thread_at=min(found.thread.at or at, at),
        parent=answers and kind.prefix + answers,
    )


def _body(text: str) -> str:
    try:
        body: str = _BODY.load({"body": text})["body"]
    except ValidationError as error:
        # What is wrong with it, never what it says.
        raise Unusable(f"its text: {' '.join(error.messages_dict['body'])}") from None
    return body


def _thread_key(thread: FoundThread, by: str) -> str:
    """What the blog's form sends as the id of the thread from now on; raises Unusable without any."""
    url = _plain(thread.url, KEY_LENGTH + 1)
    own = _plain(thread.id, KEY_LENGTH + 1)
    key = {"url": url, "path": _path(url), "id": own}[by] or own or url
    if not key:
        raise Unusable("it is on no page")
    if len(key) > KEY_LENGTH:
        raise Unusable(f"the {by} of its page is longer than {KEY_LENGTH} characters")
    return key


def _path(url: str) -> str:
    """The path of an address, with its query: a blog may tell its pages apart by that.

    >>> _path("https://blog.example/2020/a-post/"), _path("/a?p=1"), _path("http://[")
    ('/2020/a-post/', '/a?p=1', '')
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _author(told: dict[str, str | None]) -> dict[str, str]:
    """Who wrote it; what cannot be used is left out, for the comment is worth more than that."""
    author = {
        "name": _plain(told.get("name"), NAME_LENGTH) or NAMELESS,
        "email": _whole(told.get("email"), EMAIL_LENGTH),
        "url": _whole(told.get("url"), URL_LENGTH),
        "id": _whole(told.get("id"), KEY_LENGTH),
        "ip": _address(told.get("ip")),
    }
    return {name: value for name, value in author.items() if value}


def _plain(text: str | None, most: int) -> str:
    return _UNUSABLE.sub("", text or "").strip()[:most].strip()


def _whole(text: str | None, most: int) -> str:
    """A text that means nothing once it is cut."""
    plain = _plain(text, most + 1)
    return plain if len(plain) <= most else ""


def _address(text: str | None) -> str:
    try:
        return str(ipaddress.ip_address((text or "").strip()))
    except ValueError:
        return ""


def _shown(own_id: str) -> str:
    """An id as it may be told: what is no id may hold anything."""
    return own_id if _ID.fullmatch(own_id) else "without a usable id"
