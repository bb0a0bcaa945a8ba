"""Webhooks: endpoints, their secrets, and what was delivered to them."""

from typing import Any

from marshmallow import Schema

from moderation.api.access import Who, moderator_caller, now, requires
from moderation.api.bodies import ApiBlueprint
from moderation.api.problems import invalid
from moderation.api.service import service
from moderation.models import WebhookDelivery, WebhookEndpoint
from moderation.schemas import webhooks as shapes
from moderation.services import webhooks
from moderation.signing import make_cursor, read_cursor
from moderation.webhook_addresses import BadAddress, check_url
from moderation.webhook_signing import webhook_secret

bp = ApiBlueprint("webhooks", __name__, url_prefix="/api/v1", description="Webhooks")


@bp.get("/webhook-endpoints")
@requires(Who.MAINTAINER)
@bp.doc(summary="Endpoints")
@bp.arguments(shapes.EndpointQuerySchema, location="query")
@bp.response(200, shapes.EndpointPageSchema)
def list_endpoints(query: dict[str, Any]) -> dict[str, Any]:
    """Every site's endpoints or one's, oldest first."""
    site, limit = query["site"], query["limit"]
    listing = f"endpoints:{site}"
    with service().database.read() as session:
        found = webhooks.list_endpoints(session, site, _after(query, listing) or "", limit + 1)
    return _page(found, limit, listing)


@bp.post("/webhook-endpoints")
@requires(Who.MAINTAINER)
@bp.doc(summary="Make an endpoint")
@bp.arguments(shapes.NewEndpointSchema)
@bp.response(201, shapes.EndpointSecretSchema)
def create_endpoint(data: dict[str, Any]) -> dict[str, Any]:
    """The answer shows the secret this once."""
    _check(data)
    with service().database.write() as session:
        endpoint = webhooks.create_endpoint(session, webhooks.EndpointWish(**data), now())
        return _with_secret(endpoint)


@bp.get("/webhook-endpoints/<string:endpoint_id>")
@requires(Who.MAINTAINER)
@bp.doc(summary="One endpoint")
@bp.response(200, shapes.EndpointSchema)
def read_endpoint(endpoint_id: str) -> WebhookEndpoint:
    """How it is set and how it fares."""
    with service().database.read() as session:
        return webhooks.get_endpoint(session, endpoint_id)


@bp.patch("/webhook-endpoints/<string:endpoint_id>")
@requires(Who.MAINTAINER)
@bp.doc(summary="Change, disable or enable an endpoint")
@bp.arguments(shapes.EndpointChangeSchema)
@bp.response(200, shapes.EndpointSchema)
def change_endpoint(data: dict[str, Any], endpoint_id: str) -> WebhookEndpoint:
    """Only what is given is changed."""
    _check(data)
    with service().database.write() as session:
        return webhooks.change_endpoint(session, endpoint_id, data)


@bp.delete("/webhook-endpoints/<string:endpoint_id>")
@requires(Who.MAINTAINER)
@bp.doc(summary="Remove an endpoint and its deliveries")
@bp.response(204, Schema)
def remove_endpoint(endpoint_id: str) -> None:
    """What was not delivered yet is not delivered any more."""
    with service().database.write() as session:
        webhooks.remove_endpoint(session, endpoint_id)


@bp.post("/webhook-endpoints/<string:endpoint_id>/secret")
@requires(Who.MAINTAINER)
@bp.doc(summary="Rotate the secret")
@bp.arguments(shapes.RotationSchema)
@bp.response(200, shapes.EndpointSecretSchema)
def rotate_secret(data: dict[str, Any], endpoint_id: str) -> dict[str, Any]:
    """The answer shows the new secret this once; the one before signs beside it for some hours."""
    with service().database.write() as session:
        return _with_secret(webhooks.rotate_secret(session, endpoint_id, data["hours"], now()))


@bp.get("/webhook-endpoints/<string:endpoint_id>/deliveries")
@requires(Who.MAINTAINER)
@bp.doc(summary="Deliveries to an endpoint")
@bp.arguments(shapes.DeliveryQuerySchema, location="query")
@bp.response(200, shapes.DeliveryPageSchema)
def list_deliveries(query: dict[str, Any], endpoint_id: str) -> dict[str, Any]:
    """Newest first; with `status=dead` those that were given up."""
    status, limit = query["status"], query["limit"]
    listing = f"deliveries:{endpoint_id}:{status}"
    with service().database.read() as session:
        before = _after(query, listing)
        found = webhooks.list_deliveries(session, endpoint_id, status, before, limit + 1)
    return _page(found, limit, listing)


@bp.post("/webhook-deliveries/<string:delivery_id>/replay")
@requires(Who.MAINTAINER)
@bp.doc(summary="Deliver again")
@bp.response(202, shapes.DeliverySchema)
def replay_delivery(delivery_id: str) -> WebhookDelivery:
    """Under the same id; the schedule begins anew."""
    with service().database.write() as session:
        delivery = webhooks.replay(session, delivery_id, moderator_caller().name, now())
    service().jobs.wake_webhooks()
    return delivery


def _with_secret(endpoint: WebhookEndpoint) -> dict[str, Any]:
    shown: dict[str, Any] = shapes.EndpointSchema().dump(endpoint)
    for name in ("previous_until", "failing_since", "paused_until", "created_at"):
        shown[name] = getattr(endpoint, name)
    return shown | {"secret": webhook_secret(endpoint.salt, service().settings.secret_key)}


def _check(data: dict[str, Any]) -> None:
    if "url" not in data:
        return
    try:
        check_url(data["url"], private=service().settings.webhook_private)
    except BadAddress as error:
        raise invalid({"json": {"url": [f"It {error}."]}}) from None


def _after(query: dict[str, Any], listing: str) -> str | None:
    cursor = query.get("cursor")
    return read_cursor(cursor, listing, service().settings.secret_key)[0] if cursor else None


def _page(found: Any, limit: int, listing: str) -> dict[str, Any]:
    more = len(found) > limit
    key = service().settings.secret_key
    return {
        "items": found[:limit],
        "next_cursor": make_cursor([found[limit - 1].id], listing, key) if more else None,
    }
