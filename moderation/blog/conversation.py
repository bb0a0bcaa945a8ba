"""A page of approved comments as readers see it: each comment with the replies below it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from moderation.models import Comment
from moderation.services.published import list_approved

SHOWN = 100
# Longer texts are folded; the reader opens them.
LONG_CHARACTERS, LONG_LINES = 1500, 18
HUES = 6


@dataclass(frozen=True)
class Shown:
    """A comment as the page shows it."""

    id: str
    parent_id: str | None
    name: str
    url: str | None
    body: str
    created_at: datetime
    # Whom a reply to a reply answers; a reply to the comment above needs no such line.
    answers: str | None = None

    @property
    def is_long(self) -> bool:
        return len(self.body) > LONG_CHARACTERS or self.body.count("\n") >= LONG_LINES

    @property
    def initial(self) -> str:
        return next((letter.upper() for letter in self.name if letter.isalnum()), "·")[0]

    @property
    def hue(self) -> int:
        return sum(map(ord, self.name)) % HUES


# What the page's script copies and fills in when a comment appears without a reload.
BLANK = Shown("", None, "", None, "", datetime.fromtimestamp(0, UTC))


@dataclass
class Branch:
    """A comment and the replies to it, oldest first; one level is enough for a blog."""

    top: Shown
    replies: list[Shown] = field(default_factory=list)


@dataclass(frozen=True)
class Page:
    """The comments of one page and the cursor of the next, if there is one."""

    branches: tuple[Branch, ...]
    first: bool
    last_id: str | None = None
    next_cursor: str | None = None

    @property
    def count(self) -> int:
        return sum(1 + len(branch.replies) for branch in self.branches)

    def with_cursor(self, make: Callable[[str], str]) -> "Page":
        return self if self.last_id is None else replace(self, next_cursor=make(self.last_id))


def read_page(session: Session, site_id: str, thread_key: str, after: str | None) -> Page:
    """The approved comments after an id; `last_id` is set when more follow."""
    found = list_approved(session, site_id, thread_key, after=after, limit=SHOWN + 1)
    shown = [show(comment, body) for comment, body in found[:SHOWN]]
    last_id = shown[-1].id if len(found) > SHOWN else None
    return Page(branches(shown), first=after is None, last_id=last_id)


def show(comment: Comment, body: str) -> Shown:
    """What readers may know of a comment: never an address of its author but the one they link."""
    author = comment.author
    return Shown(
        comment.id,
        comment.parent_id,
        author.get("name") or "Anonymous",
        safe_url(author.get("url")),
        body,
        comment.created_at,
    )


def safe_url(url: str | None) -> str | None:
    """An author's address if it is one of the web: a javascript: link would run in the reader's page.

    >>> safe_url("https://example.org/"), safe_url("javascript:alert(1)"), safe_url("http://[")
    ('https://example.org/', None, None)
    """
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return None
    return url if parts.scheme in {"http", "https"} and parts.netloc else None


def branches(comments: Iterable[Shown]) -> tuple[Branch, ...]:
    """Comments with their replies; a reply whose parent is not among them stands by itself."""
    branch_of: dict[str, Branch] = {}
    names: dict[str, str] = {}
    tops: list[Branch] = []
    for comment in comments:
        names[comment.id] = comment.name
        branch = branch_of.get(comment.parent_id or "")
        if branch is None:
            branch = Branch(comment)
            tops.append(branch)
        else:
            deeper = comment.parent_id != branch.top.id
            answers = names[comment.parent_id or ""] if deeper else None
            branch.replies.append(replace(comment, answers=answers))
        branch_of[comment.id] = branch
    return tuple(tops)
