"""Errors as they are answered, for the OpenAPI document; a test compares it with real ones."""

from marshmallow import Schema, fields


class MemberErrorSchema(Schema):
    """One member of the request that cannot be used."""

    pointer = fields.String(metadata={"description": "A JSON pointer (RFC 6901) into the request"})
    detail = fields.String()


class ProblemSchema(Schema):
    """Problem details (RFC 9457); some types bring further members, which docs/api.md names."""

    type = fields.String(required=True, metadata={"description": "urn:greenroom:problem: and a stable name"})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String()
    instance = fields.String(metadata={"description": "The path that was asked for"})
    request_id = fields.String(metadata={"description": "To be quoted to those who run the service"})
    errors = fields.List(fields.Nested(MemberErrorSchema))
