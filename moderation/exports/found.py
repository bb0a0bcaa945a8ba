"""What every reader finds: comments, and a file that is not what it should be."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum


class NotAnExport(ValueError):
    """The file, or the rest of it, cannot be read as what it is said to be; says where."""


class Fate(StrEnum):
    """What the other system did with a comment."""

    APPROVED = "approved"
    SPAM = "spam"
    PENDING = "pending"
    DELETED = "deleted"
    # Announcements of links from other pages, which nobody wrote.
    NO_COMMENT = "no_comment"


@dataclass(frozen=True)
class FoundThread:
    """The page of a comment, by whatever the export says of it."""

    id: str = ""
    url: str = ""
    title: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class FoundComment:
    """A comment as the export tells it, unchecked; `id` is the other system's."""

    id: str
    fate: Fate
    body: str
    thread: FoundThread
    author: dict[str, str | None] = field(default_factory=dict)
    at: datetime | None = None
    parent: str = ""


@dataclass(frozen=True)
class Unreadable:
    """A part of the file that is no comment: where it is, and what is wrong with it."""

    where: str
    why: str


Found = FoundComment | Unreadable
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


def time_from(text: str | None) -> datetime | None:
    """A time of day in UTC, unless it says otherwise; None for what is none.

    >>> time_from("2012-12-12 12:12:12") == time_from("2012-12-12T13:12:12+01:00")
    True
    >>> time_from("0000-00-00 00:00:00"), time_from("yesterday"), time_from(None)
    (None, None, None)
    """
    try:
        at = datetime.fromisoformat((text or "").strip())
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if at >= EARLIEST else None
