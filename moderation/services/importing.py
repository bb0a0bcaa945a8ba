"""A site's own history: comments that another system decided, or did not decide yet, and what they teach.

They keep their time: ids and times are those of the comment, so that threads are in order and an author's
past is known. What was decided is stored as decided, by an import; what was not waits for the policy.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select, tuple_
from sqlalchemy.orm import Session

from moderation.domain.policy import CLEAN
from moderation.domain.settling import Taught
from moderation.domain.sources import Source, Teacher
from moderation.domain.status import Action, Status
from moderation.domain.teaching import labels_taught
from moderation.models import Comment, Label, Site, Submission, Thread, new_id, table_of
from moderation.services.accept import NewComment, author_key, insert_or_tell, new_text
from moderation.services.decide import IMPORT, Act, record_imported
from moderation.services.errors import NotFound
from moderation.services.labels import columns_of
from moderation.services.rows import run_many
from moderation.services.tally import note
from moderation.services.traces import KEPT, record_traces, traces_of


class Outcome(StrEnum):
    """What became of a comment that was to be imported."""

    APPROVED = "approved"
    REJECTED = "rejected"
    PENDING = "pending"
    ALREADY_THERE = "already_there"


@dataclass(frozen=True)
class PastComment:
    """A comment of another system: when it was written, and whether it was approved, rejected or neither.

    Its external id is never empty; `parent` is the external id of what it answers.
    """

    new: NewComment
    at: datetime
    action: Action | None
    thread_at: datetime
    parent: str | None = None

    @property
    def external_id(self) -> str:
        """Its id of the other system, which it comes again with."""
        return self.new.external_id or ""


_OUTCOMES = {Action.APPROVE: Outcome.APPROVED, Action.REJECT: Outcome.REJECTED, None: Outcome.PENDING}
_REASONS = {Action.APPROVE: CLEAN, Action.REJECT: "spam"}


class _Place(NamedTuple):
    """Where a comment is: its own id and that of its thread."""

    comment_id: str
    thread_id: str


@dataclass(frozen=True)
class _Draft:
    """A comment on its way, as far as a decision on it must know it."""

    past: PastComment
    id: str
    site_id: str
    thread_id: str
    submission_id: str
    created_at: datetime
    status: str = Status.PENDING
    version: int = 1


def look_through(session: Session, site_id: str, comments: Sequence[PastComment]) -> Counter[Outcome]:
    """What `take_past` would do; raises NotFound."""
    if session.get(Site, site_id) is None:
        raise NotFound("site")
    fresh = _fresh(comments, _places(session, site_id, comments))
    return _counted(comments, fresh)


def take_past(
    session: Session, site_id: str, comments: Sequence[PastComment], now: datetime
) -> Counter[Outcome]:
    """Store those of these comments that are not there yet, with all that was decided; raises NotFound.

    Of what is decided elsewhere nobody is told and no worker takes it. The same comments once more change
    nothing, whatever became of them since.
    """
    _take_turn(session, site_id)
    places = _places(session, site_id, comments)
    fresh = _fresh(comments, places)
    threads = _find_or_make_threads(session, site_id, fresh)
    drafts = _drafts(site_id, fresh, threads, now)
    stored = _insert_comments(session, drafts, places)
    run_many(session, _INSERT_SUBMISSIONS, [_submission_row(draft, now) for draft in stored])
    _decide_and_teach(session, [draft for draft in stored if draft.past.action is not None])
    _leave_traces(session, stored, now)
    for draft in stored:
        if draft.past.action is None:
            note(session, "accepted", "comment")
    return _counted(comments, [draft.past for draft in stored])


def _take_turn(session: Session, site_id: str) -> None:
    """Let imports of a site come one after the other; nobody else waits for that."""
    query = select(Site.id).where(Site.id == site_id).with_for_update(key_share=True)
    if session.scalar(query) is None:
        raise NotFound("site")


def _places(session: Session, site_id: str, comments: Sequence[PastComment]) -> dict[str, _Place]:
    """Where those are that were stored before, and the comments that these answer, by external id."""
    named = {one.external_id for one in comments} | {one.parent for one in comments if one.parent}
    if not named:
        return {}
    rows = session.execute(_PLACES, {"site": site_id, "named": sorted(named)})
    return {row.external_id: _Place(row.id, row.thread_id) for row in rows}


def _fresh(comments: Sequence[PastComment], places: Mapping[str, _Place]) -> list[PastComment]:
    """Those that are not there yet, each once."""
    first = {one.external_id: one for one in reversed(comments) if one.external_id not in places}
    return [first[name] for name in sorted(first)]


def _counted(comments: Sequence[PastComment], stored: Sequence[PastComment]) -> Counter[Outcome]:
    counts = Counter(_OUTCOMES[one.action] for one in stored)
    counts[Outcome.ALREADY_THERE] = len(comments) - len(stored)
    return counts


def _find_or_make_threads(session: Session, site_id: str, fresh: Sequence[PastComment]) -> dict[str, str]:
    """The ids of the threads by the site's own; a new one is as old as the page."""
    first = {one.new.thread_key: one for one in reversed(fresh)}
    ids = _thread_ids(session, site_id, first)
    missing = [first[key] for key in sorted(first) if key not in ids]
    if missing:
        rows = [_thread_row(site_id, one) for one in missing]
        session.execute(insert_or_tell(session, _THREADS, _THREADS.c.id), rows)
        ids = _thread_ids(session, site_id, first)
    return ids


def _thread_ids(session: Session, site_id: str, keys: Mapping[str, Any]) -> dict[str, str]:
    if not keys:
        return {}
    rows = session.execute(_THREAD_IDS, {"threads": [(site_id, key) for key in keys]})
    return {row.key: row.id for row in rows}


def _drafts(
    site_id: str, fresh: Sequence[PastComment], threads: Mapping[str, str], now: datetime
) -> list[_Draft]:
    return [
        _Draft(
            past=one,
            id=new_id("c", one.at),
            site_id=site_id,
            thread_id=threads[one.new.thread_key],
            # What waits for the policy waits from now on, behind those who wait already.
            submission_id=new_id("sub", one.at if one.action is not None else now),
            created_at=one.at,
        )
        for one in fresh
    ]


def _insert_comments(
    session: Session, drafts: Sequence[_Draft], places: Mapping[str, _Place]
) -> list[_Draft]:
    """Insert the comments by one statement, in which a reply may come before what it answers."""
    if not drafts:
        return []
    known = {**places, **{one.past.external_id: _Place(one.id, one.thread_id) for one in drafts}}
    rows = [_comment_row(draft, known.get(draft.past.parent or "")) for draft in drafts]
    stored = set(session.scalars(insert_or_tell(session, _COMMENTS, _COMMENTS.c.id), rows))
    return [draft for draft in drafts if draft.id in stored]


def _decide_and_teach(session: Session, decided: Sequence[_Draft]) -> None:
    acts = [(draft, _act(draft), draft.created_at) for draft in decided]
    ids = record_imported(session, acts)
    labels = [row for draft, one in zip(decided, ids, strict=True) for row in _label_rows(draft, one)]
    run_many(session, _INSERT_LABELS, labels)


def _act(draft: _Draft) -> Act:
    action = draft.past.action or Action.APPROVE
    return Act(action, _REASONS[action], IMPORT, draft.submission_id)


def _label_rows(draft: _Draft, decision_id: str) -> Iterator[dict[str, Any]]:
    act, teacher = _act(draft), Teacher(Source.IMPORT, draft.site_id)
    for category, value in labels_taught(act.action, act.reason).items():
        about = {"submission_id": draft.submission_id, "decision_id": decision_id}
        taught = Taught(category, value, teacher, explicit=False, at=draft.created_at)
        yield {"id": new_id("lab"), **about, **columns_of(taught)}


def _leave_traces(session: Session, stored: Sequence[_Draft], now: datetime) -> None:
    """Keep which domains the younger approved ones link to: whoever follows up decisions leaves these out.

    A domain that only spam linked to stays one never seen: being known would speak for it.
    """
    oldest = now - KEPT
    young = [one for one in stored if one.past.action is Action.APPROVE and one.created_at > oldest]
    traces = [
        traces_of(one.submission_id, one.site_id, one.past.new.body, one.past.new.author, None)
        for one in young
    ]
    record_traces(session, traces, decided=True)


def _thread_row(site_id: str, one: PastComment) -> dict[str, Any]:
    new = one.new
    row = {"id": new_id("th", one.thread_at), "site_id": site_id, "key": new.thread_key, "closed": False}
    return row | {"url": new.thread_url, "title": new.thread_title, "created_at": one.thread_at}


def _comment_row(draft: _Draft, parent: _Place | None) -> dict[str, Any]:
    new = draft.past.new
    # What is answered may have been left out, or be of another thread in a file that was put together.
    answered = parent.comment_id if parent is not None and parent.thread_id == draft.thread_id else None
    return {
        "id": draft.id,
        "site_id": draft.site_id,
        "thread_id": draft.thread_id,
        "parent_id": answered,
        "external_id": draft.past.external_id,
        "author": new.author,
        "author_key": author_key(new.author),
        "status": draft.status,
        "submission_id": draft.submission_id,
        "version": draft.version,
        "created_at": draft.created_at,
    }


def _submission_row(draft: _Draft, now: datetime) -> dict[str, Any]:
    decided = draft.past.action is not None
    at = draft.created_at if decided else now
    row = {"id": draft.submission_id, "comment_id": draft.id, "site_id": draft.site_id}
    return row | new_text(draft.past.new.body, {}, at) | {"judged_at": at if decided else None}


# Written once: putting a statement together takes longer than running it.
_THREADS, _COMMENTS = table_of(Thread), table_of(Comment)
_INSERT_SUBMISSIONS, _INSERT_LABELS = table_of(Submission).insert(), table_of(Label).insert()
_THREAD_IDS = select(_THREADS.c.key, _THREADS.c.id).where(
    tuple_(_THREADS.c.site_id, _THREADS.c.key).in_(bindparam("threads", expanding=True))
)
_PLACES = select(_COMMENTS.c.external_id, _COMMENTS.c.id, _COMMENTS.c.thread_id).where(
    _COMMENTS.c.site_id == bindparam("site"),
    _COMMENTS.c.external_id.in_(bindparam("named", expanding=True)),
)
