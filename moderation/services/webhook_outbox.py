"""The outbox: what endpoints are to be told, written with the change that it tells of.

A site without endpoints costs one query by an index for each batch.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, select, true, update
from sqlalchemy.orm import Session

from moderation.domain.webhooks import DeliveryStatus, Event, events_of
from moderation.models import (
    AnnouncedModel,
    Comment,
    Submission,
    Thread,
    WebhookDelivery,
    WebhookEndpoint,
    new_id,
    table_of,
)
from moderation.services.accept import insert_unless_present

# Of an event's body, in bytes; Standard Webhooks recommends no more than 20 kB.
LARGEST_BODY = 20_000
# What may be left of a text: escaped, a character takes up to twelve bytes.
MOST_TEXT = 1_000
# The one model whose changes are told.
CHAMPION = "champion"


def tell_decisions(session: Session, decided: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Write a delivery for each decision and each endpoint that asks for it."""
    endpoints = list(_endpoints(session, {row["site_id"] for row in decided}))
    if not endpoints:
        return
    wanted = [
        (endpoint, row, event)
        for row in decided
        for event in events_of(row)
        for endpoint in endpoints
        if endpoint.site_id == row["site_id"] and event in endpoint.events
    ]
    facts = _facts(session, {row["comment_id"] for _, row, _ in wanted})
    texts = _texts(session, {row["submission_id"] for endpoint, row, _ in wanted if endpoint.include_body})
    _write(
        session,
        [
            _delivery(endpoint.id, event, _data(endpoint, row, facts[row["comment_id"]], texts), now)
            for endpoint, row, event in wanted
        ],
    )


def tell_promoted(
    session: Session, version: str, how: str, now: datetime, *, instead_of: str | None = None
) -> bool:
    """Tell the endpoints of every site that another model is in force, once; whether they were not told yet.

    `how`: promotion, rollback or retraining. `instead_of`: only if that one was told of last.
    """
    if not _keep_announced(session, version, now, instead_of):
        return False
    data = {"model_version": version, "how": how}
    _write(
        session,
        [
            _delivery(endpoint.id, Event.PROMOTED, data, now)
            for endpoint in _endpoints(session)
            if Event.PROMOTED in endpoint.events
        ],
    )
    return True


def announced_model(session: Session) -> str | None:
    """The version that was told of last; None before the first."""
    return session.scalar(select(AnnouncedModel.version).where(AnnouncedModel.name == CHAMPION))


def begin_announcing(session: Session, version: str, now: datetime) -> None:
    """Keep which model is in force before anybody is told of another; it is no news itself."""
    insert_unless_present(session, AnnouncedModel(name=CHAMPION, version=version, announced_at=now))


def _keep_announced(session: Session, version: str, now: datetime, instead_of: str | None) -> bool:
    """Whether it is another than before; of two who see the same one come, one is first."""
    before = true() if instead_of is None else _A.version == instead_of
    changed = session.scalar(
        update(_A)
        .where(_A.name == CHAMPION, _A.version != version, before)
        .values(version=version, announced_at=now)
        .returning(_A.name)
        .execution_options(synchronize_session=False)
    )
    first = AnnouncedModel(name=CHAMPION, version=version, announced_at=now)
    return changed is not None or insert_unless_present(session, first)


def event_body(event: str, data: Mapping[str, Any], now: datetime) -> str:
    """The body as it is sent and signed; a long text gives way to the limit."""
    body = _as_json(event, data, now)
    if len(body.encode()) > LARGEST_BODY and "body" in data:
        body = _as_json(event, {**data, "body": data["body"][:MOST_TEXT], "body_cut": True}, now)
    return body


def _as_json(event: str, data: Mapping[str, Any], now: datetime) -> str:
    return json.dumps({"type": event, "timestamp": _time(now), "data": data}, separators=(",", ":"))


def _endpoints(session: Session, sites: set[str] | None = None) -> Iterable[Any]:
    if sites is None:
        return session.execute(_ENABLED).all()
    return session.execute(_ENABLED_OF, {"sites": list(sites)}).all()


def _facts(session: Session, comments: set[str]) -> dict[str, Any]:
    query = select(Comment.id, Comment.external_id, Thread.key, Thread.url).join(
        Thread, Thread.id == Comment.thread_id
    )
    return {
        row.id: row for part in _parts(comments) for row in session.execute(query.where(Comment.id.in_(part)))
    }


def _texts(session: Session, submissions: set[str]) -> dict[str, str]:
    query = select(Submission.id, Submission.body)
    return {
        row.id: row.body
        for part in _parts(submissions)
        for row in session.execute(query.where(Submission.id.in_(part)))
    }


def _parts(ids: set[str], most: int = 500) -> Iterator[list[str]]:
    ordered = sorted(ids)
    for start in range(0, len(ordered), most):
        yield ordered[start : start + most]


def _data(endpoint: Any, row: Mapping[str, Any], fact: Any, texts: Mapping[str, str]) -> dict[str, Any]:
    data = {
        "comment_id": row["comment_id"],
        "external_id": fact.external_id,
        "site_id": row["site_id"],
        "thread": {"id": fact.key, "url": fact.url},
        "status": row["status_after"],
        "previous_status": row["status_before"],
        "reason": row["reason"],
        # Deliveries may overtake each other: the higher version is the newer.
        "version": row["number"],
        "decision_id": row["id"],
        "reverses": row["reverses"],
        "model_version": row["model_version"],
        "actor": {"kind": row["actor_kind"]},
    }
    if endpoint.include_moderator:
        data["actor"] = {"kind": row["actor_kind"], "name": row["actor_name"]}
    if endpoint.include_body:
        data["body"] = texts.get(row["submission_id"])
    return data


def _delivery(endpoint_id: str, event: Event, data: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    return {
        "id": new_id("dlv"),
        "endpoint_id": endpoint_id,
        "event": event,
        "body": event_body(event, data, now),
        "status": DeliveryStatus.WAITING,
        "attempts": 0,
        "due_at": now,
        "created_at": now,
    }


def _write(session: Session, deliveries: list[dict[str, Any]]) -> None:
    if deliveries:
        session.execute(table_of(WebhookDelivery).insert(), deliveries)


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_A, _E = AnnouncedModel, WebhookEndpoint
# Written once: putting a statement together takes longer than running it. Locked, so that no endpoint is
# removed between here and its delivery's insertion, which would fail the decision.
_ENABLED = (
    select(_E.id, _E.site_id, _E.events, _E.include_body, _E.include_moderator)
    .where(_E.enabled)
    .with_for_update(read=True, key_share=True)
)
_ENABLED_OF = _ENABLED.where(_E.site_id.in_(bindparam("sites", expanding=True)))
