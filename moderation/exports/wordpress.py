"""WordPress: the export of its tools, WXR, in any of its versions.

WordPress itself leaves spam out of its export; what others write in this form may have it.
"""

from collections.abc import Iterator
from typing import IO

from moderation.exports.found import Fate, FoundComment, FoundThread, time_from
from moderation.exports.xml_events import Form, read_events

_WXR = r"https?://(www\.)?wordpress\.org/export/\d+(\.\d+)*/?"
FORM = Form("WordPress export", "rss", _WXR, {_WXR: "wp:"})
ITEM = "rss/channel/item"
COMMENT = f"{ITEM}/wp:comment"
_OF_ITEM = ("title", "link", "wp:post_id", "wp:post_date_gmt")
_OF_COMMENT = (
    *("id", "author", "author_email", "author_url", "author_IP", "date", "date_gmt"),
    *("content", "approved", "type", "parent"),
)
_MEMBERS = {f"{ITEM}/{name}": name for name in _OF_ITEM}
_MEMBERS |= {f"{COMMENT}/wp:comment_{name}": name for name in _OF_COMMENT}
# In words where a plug-in or an older version wrote them.
_FATES = {
    "1": Fate.APPROVED,
    "approved": Fate.APPROVED,
    "approve": Fate.APPROVED,
    "0": Fate.PENDING,
    "hold": Fate.PENDING,
    "spam": Fate.SPAM,
    "trash": Fate.DELETED,
    "post-trashed": Fate.DELETED,
}
# Reviews of a shop are comments too.
_KINDS = {"", "comment", "review"}


def read_wordpress(source: IO[bytes]) -> Iterator[FoundComment]:
    """The comments of every page, in the order of the file; raises NotAnExport."""
    item: dict[str, str] = {}
    comment: dict[str, str] = {}
    for event in read_events(source, FORM, {ITEM, COMMENT}, _MEMBERS):
        if event.path == ITEM:
            item = {}
        elif event.path == COMMENT:
            if event.text is None:
                comment = {}
            else:
                yield _comment(comment, item)
        else:
            part = comment if event.path.startswith(COMMENT) else item
            part[_MEMBERS[event.path]] = event.text or ""


def _comment(told: dict[str, str], item: dict[str, str]) -> FoundComment:
    parent = told.get("parent", "").strip()
    return FoundComment(
        id=told.get("id", "").strip(),
        fate=_fate(told),
        body=told.get("content", ""),
        thread=FoundThread(
            item.get("wp:post_id", "").strip(),
            item.get("link", "").strip(),
            item.get("title", ""),
            time_from(item.get("wp:post_date_gmt")),
        ),
        author={
            "name": told.get("author"),
            "email": told.get("author_email"),
            "url": told.get("author_url"),
            "ip": told.get("author_IP"),
        },
        # The one of a comment that was never approved may be missing; the other is in the blog's own time.
        at=time_from(told.get("date_gmt")) or time_from(told.get("date")),
        parent="" if parent == "0" else parent,
    )


def _fate(told: dict[str, str]) -> Fate:
    if told.get("type", "").strip().lower() not in _KINDS:
        return Fate.NO_COMMENT
    # What is unknown is left to the policy: it was not approved.
    return _FATES.get(told.get("approved", "").strip().lower(), Fate.PENDING)
