"""Disqus: its export of all comments as XML, threads first."""

from collections.abc import Iterator
from typing import IO

from moderation.exports.found import Fate, FoundComment, FoundThread, time_from
from moderation.exports.xml_events import Event, Form, read_events

_DISQUS = r"https?://(www\.)?disqus\.com/?"
_INTERNALS = r"https?://(www\.)?disqus\.com/disqus-internals/?"
FORM = Form("Disqus export", "disqus", _DISQUS, {_DISQUS: "", _INTERNALS: "dsq:"})
THREAD, COMMENT = "disqus/thread", "disqus/post"
THREAD_OF, PARENT_OF = f"{COMMENT}/thread", f"{COMMENT}/parent"
_MEMBERS = {f"{THREAD}/{name}": name for name in ("id", "link", "title", "createdAt")}
_MEMBERS |= {f"{COMMENT}/{name}": name for name in ("message", "createdAt", "isDeleted", "isSpam")}
_MEMBERS |= {f"{COMMENT}/author/{name}": name for name in ("name", "email", "username")}
_MEMBERS |= {f"{COMMENT}/ipAddress": "ip"}


def read_disqus(source: IO[bytes]) -> Iterator[FoundComment]:
    """The comments in the order of the file; raises NotAnExport."""
    threads: dict[str, FoundThread] = {}
    told: dict[str, str] = {}
    for event in read_events(source, FORM, {THREAD, COMMENT, THREAD_OF, PARENT_OF}, _MEMBERS):
        if event.path in {THREAD, COMMENT} and event.text is None:
            told = {"dsq:id": _own_id(event)}
        elif event.path in {THREAD_OF, PARENT_OF}:
            told.setdefault(event.path, _own_id(event))
        elif event.path == THREAD:
            threads[told["dsq:id"]] = _thread(told)
        elif event.path == COMMENT:
            yield _comment(told, threads)
        else:
            told[_MEMBERS[event.path]] = event.text or ""


def _own_id(event: Event) -> str:
    return event.attributes.get("dsq:id", "").strip()


def _thread(told: dict[str, str]) -> FoundThread:
    return FoundThread(
        # The site's own, where it gave one.
        told.get("id", "").strip() or told["dsq:id"],
        told.get("link", "").strip(),
        told.get("title", ""),
        time_from(told.get("createdAt")),
    )


def _comment(told: dict[str, str], threads: dict[str, FoundThread]) -> FoundComment:
    thread = told.get(THREAD_OF, "")
    return FoundComment(
        id=told["dsq:id"],
        fate=_fate(told),
        body=told.get("message", ""),
        thread=threads.get(thread) or FoundThread(thread),
        author={
            "name": told.get("name", "").strip() or told.get("username"),
            "email": told.get("email"),
            "ip": told.get("ip"),
        },
        at=time_from(told.get("createdAt")),
        parent=told.get(PARENT_OF, ""),
    )


def _fate(told: dict[str, str]) -> Fate:
    # Spam is often deleted as well, and that it was spam is what it teaches.
    if _is(told, "isSpam"):
        return Fate.SPAM
    return Fate.DELETED if _is(told, "isDeleted") else Fate.APPROVED


def _is(told: dict[str, str], name: str) -> bool:
    return told.get(name, "").strip().lower() == "true"
