"""What the pages say: times, reasons, refusals and the marked parts of a text, in words for people."""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from moderation.domain.policy import CLEAN
from moderation.models import Decision
from moderation.services.errors import ClaimedByOther, NeedsMaintainer, ServiceError, StaleItem
from moderation.services.history import Event

# What a moderator may reject for; the last two teach the model nothing.
REJECT_REASONS = ("spam", "toxic", "insult", "threat", "identity_attack", "off_topic", "other")
_DID = {
    "approve": "approved this comment",
    "reject": "rejected this comment",
    "hold": "put this comment into the queue",
    "edit": "edited this comment",
    "remove": "withdrew this comment",
}
# The orders of the queue as its page names them.
ORDERS = (
    ("due", "most urgent"),
    ("score", "highest score"),
    ("uncertainty", "least certain"),
    ("newest", "newest"),
)
# A text that scores this high for one of these is not shown before it is asked for.
SEVERE, SEVERE_FROM = ("threat", "severe_toxicity", "identity_attack"), 0.5
# Characters that turn text around or hide in it (Unicode Standard Annex 9, and zero width).
_CONTROLS = re.compile("([\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff])")
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))
# Texts longer than this are folded; the moderator opens them.
LONG_CHARACTERS, LONG_LINES = 700, 9


@dataclass(frozen=True)
class Part:
    """A stretch of a text, and the category it speaks for if the model gave it weight."""

    text: str
    category: str | None = None
    control: str | None = None


def visible(text: str) -> list[Part]:
    """The text with characters that nobody sees taken out as parts of their own, named by their code.

    >>> visible("a\\u202eb")
    [Part(text='a', category=None, control=None), Part(text='', category=None, control='U+202E'), \
Part(text='b', category=None, control=None)]
    """
    cut = (piece for piece in _CONTROLS.split(text) if piece)
    return [
        Part("", control=f"U+{ord(piece):04X}") if _CONTROLS.fullmatch(piece) else Part(piece)
        for piece in cut
    ]


def severe(scores: Mapping[str, float] | None) -> str | None:
    """What makes a text too severe to be shown unasked, in words; None if nothing does.

    >>> severe({"threat": 0.93, "identity_attack": 0.6}), severe({"spam": 1.0}), severe(None)
    ('threat 0.93', None, None)
    """
    found = {name: (scores or {}).get(name, 0.0) for name in SEVERE}
    worst = max(found, key=lambda name: found[name])
    return f"{plain(worst)} {found[worst]:.2f}" if found[worst] >= SEVERE_FROM else None


def batch_done(told: Mapping[str, str]) -> str:
    """What became of a batch, as the address tells it; empty without one.

    >>> batch_done({"batch": "batch_1", "done": "3", "left": "1", "as": "spam"})
    '3 rejected as spam; 1 was left as it is, because something changed'
    """
    count = told.get("done") or told.get("undone")
    if not count or not count.isdecimal():
        return ""
    reason = told.get("as", "")
    did = (
        "taken back"
        if "undone" in told
        else "approved"
        if reason == CLEAN
        else f"rejected as {plain(reason)}"
    )
    left = told.get("left", "0")
    rest = f"; {left} {'was' if left == '1' else 'were'} left as it is, because something changed"
    return f"{count} {did}" + (rest if left.isdecimal() and left != "0" else "")


def promise(told: Mapping[str, Any]) -> str:
    """A site's promise.

    >>> promise({"category": "spam", "side": "publish", "share": 0.99})
    'Of what is published at least 99 % is free of spam'
    >>> promise({"category": "toxicity", "side": "reject", "share": 0.985})
    'Of what is rejected for toxicity at least 98.5 % deserves it'
    """
    share, category = f"{100 * told['share']:.4g} %", plain(told["category"])
    if told["side"] == "publish":
        return f"Of what is published at least {share} is free of {category}"
    return f"Of what is rejected for {category} at least {share} deserves it"


def proof(told: Mapping[str, Any]) -> str:
    """What a promise rests on, or what it lacks."""
    found, does = told["proof"], "published" if told["side"] == "publish" else "rejected"
    if found is None:
        return "not looked into yet for the model in use"
    if found.threshold is not None:
        edge = "below" if does == "published" else "from"
        wrong = f"{found.wrong} of {found.seen} labelled texts there were wrong"
        return f"{does} {edge} {found.threshold:.2f}; {wrong}"
    if found.missing:
        return (
            f"at least {found.missing} more labels are needed; until then nothing is {does} without a person"
        )
    return f"this model errs too often: {found.wrong} of the safest {found.seen} were wrong"


def plain(code: str) -> str:
    """A machine's word as people write it.

    >>> plain("identity_attack")
    'identity attack'
    """
    return code.replace("_", " ")


def duration(seconds: float) -> str:
    """A length of time in its largest unit.

    >>> duration(7300), duration(60), duration(20), duration(-180)
    ('2 hours', '1 minute', 'less than a minute', '3 minutes')
    """
    for length, unit in _UNITS:
        count = int(abs(seconds) // length)
        if count:
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "less than a minute"


def clock(at: datetime) -> str:
    """A moment to the minute; UTC, because moderators of one queue may sit in many places."""
    return f"{at:%-d %B %Y, %H:%M} UTC"


def done(decision: Decision) -> str:
    """What a moderator's own decision did.

    >>> done(Decision(action="reject", reason="off_topic", reverses=None))
    'Rejected as off topic'
    """
    if decision.reverses is not None:
        return f"Taken back: the comment is {_standing(decision.status_after)}"
    if decision.action == "reject":
        return f"Rejected as {plain(decision.reason)}"
    return "Approved"


def recorded(decision: Decision) -> str:
    """A decision in the list of a comment's decisions.

    >>> recorded(Decision(action="hold", reason="links", status_after="held", reverses=None))
    'held (links)'
    """
    reason = "" if decision.reason == CLEAN else f" ({plain(decision.reason)})"
    return f"{decision.status_after}{reason}"


def happened(event: Event) -> str:
    """One event of a comment at the desk, in words.

    >>> happened(Event(datetime(2026, 1, 1), "decided", "Bruno", "spam", action="reject"))
    'Bruno rejected it (spam)'
    """
    reason = "" if event.reason in {None, CLEAN, "reversed"} else f" ({plain(event.reason or '')})"
    who = {"policy": "The policy", "author": "The author", "import": "The import"}.get(
        event.actor or "", event.actor or "A reader"
    )
    said = {
        "opened": "It came into the queue",
        "reported": "A reader reported it",
        "noted": f"{who} noted",
        "escalated": f"{who} left it to a maintainer",
        "released": f"{who} gave it back",
        "reversed": f"{who} took the decision back",
    }
    did = _DID.get(event.action or "", "decided").replace("this comment", "it")
    return said.get(event.kind, f"{who} {did}") + reason


def reversible(decision: Decision) -> bool:
    """Whether an undo is worth offering; the service has the last word."""
    return decision.action in {"approve", "reject"} and decision.reverses is None


def refusal(error: ServiceError, latest: Decision | None, at: datetime) -> str:
    """Why a decision or its undoing was refused: who did what, and when."""
    if isinstance(error, ClaimedByOther):
        left = duration((error.until - at).total_seconds())
        return f"{error.holder} has claimed this comment until {clock(error.until)} ({left} more)."
    if isinstance(error, NeedsMaintainer):
        return "This comment was left to a maintainer; only they decide it."
    if isinstance(error, StaleItem) and error.action is not None and error.at is not None:
        return _who_did_what(error.decided_by or "Somebody", error.action, error.at, at)
    if latest is not None and latest.actor_kind != "policy":
        return _who_did_what(latest.actor_name, latest.action, latest.created_at, at)
    return "This comment changed since you looked at it. Please look again."


def is_long(body: str) -> bool:
    """Whether a text would push the next one out of sight."""
    return len(body) > LONG_CHARACTERS or body.count("\n") >= LONG_LINES


def marked(body: str, spans: Sequence[Mapping[str, Any]]) -> list[Part]:
    """The text cut at the borders of its spans; where spans overlap, the heaviest names the category.

    >>> marked("buy now", [{"start": 0, "end": 3, "category": "spam", "weight": 1.0}])
    [Part(text='buy', category='spam', control=None), Part(text=' now', category=None, control=None)]
    """
    # A negative weight speaks for the comment.
    against = [span for span in spans if span["weight"] > 0]
    inside = {min(max(edge, 0), len(body)) for span in against for edge in (span["start"], span["end"])}
    edges = sorted(inside | {0, len(body)})
    parts: list[Part] = []
    for start, end in itertools.pairwise(edges):
        over = [span for span in against if span["start"] <= start and end <= span["end"]]
        heaviest = max(over, key=lambda span: span["weight"], default={"category": None})
        found = visible(body[start:end])
        parts.extend(Part(one.text, heaviest["category"], one.control) for one in found)
    return parts


def _standing(status: str) -> str:
    return "in the queue again" if status == "held" else f"{status} again"


def _who_did_what(who: str, action: str, then: datetime, at: datetime) -> str:
    ago = duration((at - then).total_seconds())
    name = "The author" if who == "author" else who
    return f"{name} {_DID[action]} {ago} ago ({clock(then)})."
