"""What maintainers send and get about webhooks."""

from typing import Any

from marshmallow import fields, validate

from moderation.domain.webhooks import DeliveryStatus, Event
from moderation.schemas.comments import PageQuerySchema
from moderation.schemas.fields import ID_LENGTH, URL_LENGTH, StrictSchema, Text, Utc

MOST_ROTATION_HOURS = 24 * 30


def _events(**more: Any) -> Any:
    return fields.List(
        fields.String(validate=validate.OneOf([event.value for event in Event])),
        validate=validate.Length(min=1, max=len(Event)),
        **more,
    )


class NewEndpointSchema(StrictSchema):
    """An endpoint to be made."""

    site_id = Text(ID_LENGTH, required=True)
    url = Text(URL_LENGTH, required=True)
    events = _events(required=True)
    include_body = fields.Boolean(load_default=False)
    include_moderator = fields.Boolean(load_default=False)


class EndpointChangeSchema(StrictSchema):
    """What is to be changed of an endpoint."""

    url = Text(URL_LENGTH)
    events = _events()
    enabled = fields.Boolean()
    include_body = fields.Boolean()
    include_moderator = fields.Boolean()


class RotationSchema(StrictSchema):
    """How long the secret before goes on signing."""

    hours = fields.Float(load_default=24.0, validate=validate.Range(min=0, max=MOST_ROTATION_HOURS))


class EndpointSchema(StrictSchema):
    """An endpoint and how it fares."""

    id = fields.String()
    site_id = fields.String()
    url = fields.String()
    events = fields.List(fields.String())
    enabled = fields.Boolean()
    disabled_reason = fields.String(allow_none=True)
    include_body = fields.Boolean()
    include_moderator = fields.Boolean()
    previous_until = Utc(allow_none=True)
    failing_since = Utc(allow_none=True)
    paused_until = Utc(allow_none=True)
    created_at = Utc()


class EndpointSecretSchema(EndpointSchema):
    """An endpoint with its secret, which is shown this once."""

    secret = fields.String()


class EndpointQuerySchema(PageQuerySchema):
    """Which endpoints."""

    site = Text(ID_LENGTH, load_default=None)


class EndpointPageSchema(StrictSchema):
    """Endpoints, oldest first."""

    items = fields.List(fields.Nested(EndpointSchema))
    next_cursor = fields.String(allow_none=True)


class DeliverySchema(StrictSchema):
    """A delivery and what came back last."""

    id = fields.String()
    endpoint_id = fields.String()
    event = fields.String()
    status = fields.String()
    attempts = fields.Integer()
    due_at = Utc()
    answer_status = fields.Integer(allow_none=True)
    answer_bytes = fields.Integer(allow_none=True)
    trouble = fields.String(allow_none=True)
    created_at = Utc()
    finished_at = Utc(allow_none=True)


class DeliveryQuerySchema(PageQuerySchema):
    """Which deliveries."""

    status = fields.String(validate=validate.OneOf([one.value for one in DeliveryStatus]), load_default=None)


class DeliveryPageSchema(StrictSchema):
    """Deliveries, newest first."""

    items = fields.List(fields.Nested(DeliverySchema))
    next_cursor = fields.String(allow_none=True)
