"""What a reader is told about their own comment: one table, for the page and for its script."""

from dataclasses import dataclass

from moderation.domain.status import Status


@dataclass(frozen=True)
class Fate:
    """A status (and reason) in words for the comment's author; they name no rule, score or threshold."""

    status: Status
    title: str
    text: str
    reason: str | None = None

    @property
    def key(self) -> str:
        return f"{self.status}:{self.reason}" if self.reason else str(self.status)


_NOT_PUBLISHED = "Not published"
FATES: tuple[Fate, ...] = (
    Fate(
        Status.PENDING,
        "Your comment is being looked at…",
        "It is safely stored and usually takes a moment. You need not send it again.",
    ),
    Fate(Status.APPROVED, "Your comment is published", "Thank you for writing."),
    Fate(
        Status.HELD,
        "Your comment waits for a person",
        "A person will look at it before it appears. You need not send it again.",
    ),
    Fate(
        Status.REJECTED,
        _NOT_PUBLISHED,
        "It looks like advertising. If it is not, try again without links and slogans.",
        "spam",
    ),
    Fate(
        Status.REJECTED,
        _NOT_PUBLISHED,
        "It may hurt somebody. You are welcome to say the same in other words.",
        "toxic",
    ),
    Fate(
        Status.REJECTED,
        _NOT_PUBLISHED,
        "A hidden field that people do not see was filled in, as programs do. "
        "If your browser filled it in for you, switch that off for this page and try again.",
        "honeypot",
    ),
    Fate(Status.REJECTED, _NOT_PUBLISHED, "This page takes no more comments.", "thread_closed"),
    Fate(Status.REJECTED, _NOT_PUBLISHED, "It was decided that it does not belong on this page."),
    Fate(Status.REMOVED, "Your comment was withdrawn", "It is no longer shown to anybody."),
)
_BY_KEY = {fate.key: fate for fate in FATES}


def fate_of(status: str, reason: str | None) -> Fate:
    """The words for a status and reason; a reason without words of its own gets the status's.

    >>> fate_of("held", "links").title
    'Your comment waits for a person'
    >>> fate_of("rejected", "off_topic").text
    'It was decided that it does not belong on this page.'
    """
    return _BY_KEY.get(f"{status}:{reason}") or _BY_KEY[status]
