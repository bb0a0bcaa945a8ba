"""Taking comments in: one or many, each with an outcome of its own."""

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Insert, bindparam, delete, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from moderation.domain.status import Status
from moderation.models import Base, Comment, IdempotencyKey, Submission, Thread, new_id, table_of
from moderation.services.errors import ExternalIdTaken, KeyReused, ParentNotFound, ServiceError
from moderation.services.rows import run_many
from moderation.services.tally import note


@dataclass(frozen=True)
class NewComment:
    """A comment as handed in, already checked for form."""

    thread_key: str
    body: str
    author: dict[str, Any]
    thread_url: str | None = None
    thread_title: str | None = None
    parent_id: str | None = None
    external_id: str | None = None
    context: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Idempotency:
    """The caller's Idempotency-Key and a digest of the request it stands for."""

    key: str
    request_digest: str


@dataclass(frozen=True)
class Entry:
    """A comment to take in: whose, what and when, and the key under which it may come again."""

    site_id: str
    new: NewComment
    now: datetime
    idempotency: Idempotency | None = None


@dataclass(frozen=True)
class Accepted:
    """The comment, whether this call only repeated an earlier answer, and the thread if it did not."""

    comment_id: str
    replayed: bool = False
    thread_id: str | None = None


# The tables beneath the classes: a unit of work for each comment costs more than storing it.
_KEYS, _THREADS = table_of(IdempotencyKey), table_of(Thread)
_COMMENTS, _SUBMISSIONS = table_of(Comment), table_of(Submission)
# Written once: putting a statement together takes longer than running it.
_INSERT_COMMENTS, _INSERT_SUBMISSIONS = _COMMENTS.insert(), _SUBMISSIONS.insert()
_THREAD_IDS = select(_THREADS.c.site_id, _THREADS.c.key, _THREADS.c.id).where(
    tuple_(_THREADS.c.site_id, _THREADS.c.key).in_(bindparam("threads", expanding=True))
)
_EXTERNAL_IDS = select(_COMMENTS.c.site_id, _COMMENTS.c.external_id, _COMMENTS.c.id).where(
    tuple_(_COMMENTS.c.site_id, _COMMENTS.c.external_id).in_(bindparam("externals", expanding=True))
)
_PARENTS = (
    select(_COMMENTS.c.id, _THREADS.c.site_id, _THREADS.c.key)
    .join(_THREADS, _THREADS.c.id == _COMMENTS.c.thread_id)
    .where(_COMMENTS.c.id.in_(bindparam("ids", expanding=True)))
)

Outcome = Accepted | ServiceError
# By site and the site's own id of the thread.
ThreadIds = Mapping[tuple[str, str], str]


def accept(
    session: Session, site_id: str, new: NewComment, now: datetime, idempotency: Idempotency | None = None
) -> Accepted:
    """Store a comment and its first submission; nothing is decided here.

    Raises KeyReused, ParentNotFound and ExternalIdTaken.
    """
    (outcome,) = accept_all(session, [Entry(site_id, new, now, idempotency)])
    if isinstance(outcome, ServiceError):
        raise outcome
    return outcome


def accept_all(
    session: Session, entries: Sequence[Entry], known_threads: ThreadIds | None = None
) -> list[Outcome]:
    """Store many comments with few statements; each has its own outcome, in the order given.

    A refused one leaves nothing behind and does not touch its neighbours. `known_threads` are committed
    threads, which need not be looked for.
    """
    drafts = [_Draft(entry, new_id("c"), new_id("sub")) for entry in entries]
    left = drafts
    while left:
        # Two that claim the same key or id come one after the other, as if they had been sent so.
        apart, left = _without_twins(left)
        _store(session, apart, known_threads or {})
    for _ in _open(drafts):
        note(session, "accepted", "comment")
    return [draft.outcome or Accepted(draft.comment_id, thread_id=draft.thread_id) for draft in drafts]


def accept_request(
    session: Session,
    entries: Sequence[Entry],
    idempotency: Idempotency | None,
    known_threads: ThreadIds | None = None,
) -> list[Outcome]:
    """Store the comments of one request, which may come again under one key; raises KeyReused.

    Repeated, it tells the comments stored at first and tries only the refused ones anew.
    """
    if idempotency is not None and entries:
        _reserve_request(session, entries[0], idempotency)
        # A space, which no caller's key has, keeps these apart from theirs.
        entries = [
            replace(entry, idempotency=replace(idempotency, key=f"{idempotency.key} {n}"))
            for n, entry in enumerate(entries)
        ]
    return accept_all(session, entries, known_threads)


def author_key(author: dict[str, Any]) -> str | None:
    """What tells a site's authors apart: their id, else their e-mail address."""
    if author.get("id"):
        return f"id:{author['id']}"
    return f"email:{author['email'].casefold()}" if author.get("email") else None


def body_digest(body: str) -> str:
    """A digest that is the same for texts differing only in case, width or white space.

    >>> body_digest("Nice  Post!") == body_digest("nice post!\\n")
    True
    """
    plain = " ".join(unicodedata.normalize("NFKC", body).casefold().split())
    return hashlib.sha256(plain.encode()).hexdigest()[:32]


def insert_unless_present(session: Session, row: Base) -> bool:
    """Insert a row unless its key exists; tells whether it did, and is safe against a concurrent insert."""
    values = {
        c.key: getattr(row, c.key) for c in row.__mapper__.column_attrs if getattr(row, c.key) is not None
    }
    (key, *_) = row.__mapper__.primary_key
    # Asked for by RETURNING: drivers do not agree on what the row count of such an insert is.
    statement = _insert(session, type(row)).values(values).on_conflict_do_nothing().returning(key)
    return session.execute(statement).one_or_none() is not None


@dataclass
class _Draft:
    """An entry on its way: the id its comment will have, its thread, and its outcome if that is another."""

    entry: Entry
    comment_id: str
    submission_id: str
    thread_id: str = ""
    outcome: Outcome | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Under what the request may come again; the key is empty without one."""
        return self.entry.site_id, self.entry.idempotency.key if self.entry.idempotency else ""

    @property
    def external(self) -> tuple[str, str]:
        """The site's own id of the comment; empty without one."""
        return self.entry.site_id, self.entry.new.external_id or ""

    @property
    def thread(self) -> tuple[str, str]:
        """The page it belongs to."""
        return self.entry.site_id, self.entry.new.thread_key


def _without_twins(drafts: list[_Draft]) -> tuple[list[_Draft], list[_Draft]]:
    """Drafts of which no two have the same idempotency key or external id, and the rest."""
    keys: set[tuple[str, str]] = set()
    externals: set[tuple[str, str]] = set()
    apart: list[_Draft] = []
    rest: list[_Draft] = []
    for draft in drafts:
        twin = (draft.key[1] and draft.key in keys) or (draft.external[1] and draft.external in externals)
        (rest if twin else apart).append(draft)
        keys.add(draft.key)
        externals.add(draft.external)
    return apart, rest


def _store(session: Session, drafts: list[_Draft], known_threads: ThreadIds) -> None:
    # Keys, threads, comments, and each of them sorted: two processes that insert the same in different
    # orders would wait for each other.
    keyed = [draft for draft in drafts if draft.entry.idempotency]
    _reserve_keys(session, keyed)
    _refuse_taken_external_ids(session, _open(drafts))
    _refuse_missing_parents(session, _open(drafts))
    _find_or_make_threads(session, _open(drafts), known_threads)
    _insert_comments(session, _open(drafts))
    if stored := _open(drafts):
        run_many(session, _INSERT_SUBMISSIONS, [_submission_row(draft) for draft in stored])
    _give_keys_back(session, [draft for draft in keyed if isinstance(draft.outcome, ServiceError)])


def _open(drafts: list[_Draft]) -> list[_Draft]:
    return [draft for draft in drafts if draft.outcome is None]


def _reserve_keys(session: Session, drafts: list[_Draft]) -> None:
    """Take the keys for these comments; settles those whose key another comment has."""
    if not drafts:
        return
    rows = [_key_row(draft) for draft in sorted(drafts, key=lambda draft: draft.key)]
    taken = set(session.scalars(insert_or_tell(session, _KEYS, _KEYS.c.comment_id), rows))
    for draft in drafts:
        if draft.comment_id not in taken:
            _settle_repeated(session, draft)


def _reserve_request(session: Session, first: Entry, idempotency: Idempotency) -> None:
    # It stands for many comments, so it names none.
    draft = _Draft(replace(first, idempotency=idempotency), "", "")
    taken = session.scalars(insert_or_tell(session, _KEYS, _KEYS.c.key), [_key_row(draft)]).all()
    if not taken:
        _settle_repeated(session, draft)
    if isinstance(draft.outcome, KeyReused):
        raise draft.outcome


def _settle_repeated(session: Session, draft: _Draft) -> None:
    first = session.get_one(IdempotencyKey, draft.key)
    same = draft.entry.idempotency and first.request_digest == draft.entry.idempotency.request_digest
    reused = KeyReused("this Idempotency-Key was used for another request")
    draft.outcome = Accepted(first.comment_id, replayed=True) if same else reused


def _give_keys_back(session: Session, refused: list[_Draft]) -> None:
    """A refused request may be sent again with what was wrong put right, so it keeps no key."""
    ids = [draft.comment_id for draft in refused]
    if ids:
        session.execute(
            delete(_KEYS).where(
                tuple_(_KEYS.c.site_id, _KEYS.c.key).in_([draft.key for draft in refused]),
                _KEYS.c.comment_id.in_(ids),
            )
        )


def _refuse_taken_external_ids(session: Session, drafts: list[_Draft]) -> None:
    named = {draft.external: draft for draft in drafts if draft.external[1]}
    if not named:
        return
    for row in session.execute(_EXTERNAL_IDS, {"externals": list(named)}):
        named[row.site_id, row.external_id].outcome = ExternalIdTaken(row.id)


def _refuse_missing_parents(session: Session, drafts: list[_Draft]) -> None:
    replies = [draft for draft in drafts if draft.entry.new.parent_id]
    if not replies:
        return
    rows = session.execute(_PARENTS, {"ids": [draft.entry.new.parent_id for draft in replies]})
    found = {row.id: (row.site_id, row.key) for row in rows}
    for draft in replies:
        if found.get(draft.entry.new.parent_id) != draft.thread:
            draft.outcome = ParentNotFound("parent_id is no comment of this thread")


def _find_or_make_threads(session: Session, drafts: list[_Draft], known: ThreadIds) -> None:
    first = {draft.thread: draft for draft in reversed(drafts) if draft.thread not in known}
    ids = _threads(session, list(first))
    missing = sorted(thread for thread in first if thread not in ids)
    if missing:
        rows = [_thread_row(first[thread]) for thread in missing]
        session.execute(insert_or_tell(session, _THREADS, _THREADS.c.id), rows)
        ids |= _threads(session, missing)
    for draft in drafts:
        draft.thread_id = known[draft.thread] if draft.thread in known else ids[draft.thread]


def _threads(session: Session, threads: list[tuple[str, str]]) -> dict[tuple[str, str], str]:
    if not threads:
        return {}
    return {(row.site_id, row.key): row.id for row in session.execute(_THREAD_IDS, {"threads": threads})}


def _insert_comments(session: Session, drafts: list[_Draft]) -> None:
    plain = [_comment_row(draft) for draft in drafts if not draft.external[1]]
    if plain:
        run_many(session, _INSERT_COMMENTS, plain)
    named = sorted((draft for draft in drafts if draft.external[1]), key=lambda draft: draft.external)
    if named:
        rows = [_comment_row(draft) for draft in named]
        stored = set(session.scalars(insert_or_tell(session, _COMMENTS, _COMMENTS.c.id), rows))
        # Another process with the same external id at the same moment: it won.
        _refuse_taken_external_ids(session, [draft for draft in named if draft.comment_id not in stored])


def _key_row(draft: _Draft) -> dict[str, Any]:
    digest = draft.entry.idempotency.request_digest if draft.entry.idempotency else ""
    site_id, key = draft.key
    row = {"site_id": site_id, "key": key, "request_digest": digest, "comment_id": draft.comment_id}
    return row | {"created_at": draft.entry.now}


def _thread_row(draft: _Draft) -> dict[str, Any]:
    (site_id, key), new = draft.thread, draft.entry.new
    row = {"id": new_id("th"), "site_id": site_id, "key": key, "url": new.thread_url, "closed": False}
    return row | {"title": new.thread_title, "created_at": draft.entry.now}


def _comment_row(draft: _Draft) -> dict[str, Any]:
    entry, new = draft.entry, draft.entry.new
    return {
        "id": draft.comment_id,
        "site_id": entry.site_id,
        "thread_id": draft.thread_id,
        "parent_id": new.parent_id,
        "external_id": new.external_id,
        "author": new.author,
        "author_key": author_key(new.author),
        "status": Status.PENDING,
        "submission_id": draft.submission_id,
        "version": 1,
        "created_at": entry.now,
    }


def _submission_row(draft: _Draft) -> dict[str, Any]:
    row = {"id": draft.submission_id, "comment_id": draft.comment_id, "site_id": draft.entry.site_id}
    return row | new_text(draft.entry.new.body, draft.entry.new.context, draft.entry.now)


def new_text(body: str, context: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The columns of a submission that hold its text and nobody's work yet."""
    return {
        "body": body,
        "body_bytes": len(body.encode()),
        "body_digest": body_digest(body),
        "context": context,
        "created_at": now,
        "attempts": 0,
    }


def _insert(session: Session, table: Any) -> sqlite.Insert | postgresql.Insert:
    return sqlite.insert(table) if session.get_bind().dialect.name == "sqlite" else postgresql.insert(table)


def insert_new(session: Session, table: Any) -> Insert:
    """Insert what conflicts with nothing."""
    return _insert(session, table).on_conflict_do_nothing()


def insert_or_tell(session: Session, table: Any, told: Any) -> Insert:
    """Insert what conflicts with nothing, telling what that was."""
    return _insert(session, table).on_conflict_do_nothing().returning(told)
