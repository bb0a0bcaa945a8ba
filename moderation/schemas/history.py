"""What may be looked for among the decisions."""

from marshmallow import fields, validate

from moderation.domain.status import Status
from moderation.schemas.fields import ID_LENGTH, NAME_LENGTH, REASON, StrictSchema, Text

WHO = ("people", "policy", "author", "site", "import")


class HistoryQuerySchema(StrictSchema):
    """Which decisions."""

    by = fields.String(validate=validate.OneOf([*WHO, "anybody"]))
    status = fields.String(validate=validate.OneOf([status.value for status in Status]))
    reason = fields.String(validate=validate.Regexp(REASON))
    moderator = Text(NAME_LENGTH, shortest=1)
    site = Text(ID_LENGTH, shortest=1)
    author = Text(500, shortest=1)
    q = Text(200, shortest=1)
