"""What a site sends for a reader who complains, and gets."""

from marshmallow import fields, validate

from moderation.schemas.fields import KEY_LENGTH, NOTE_LENGTH, REASON, StrictSchema, Text


class NewReportSchema(StrictSchema):
    """A reader's complaint about a comment."""

    reason = fields.String(
        required=True,
        validate=validate.Regexp(REASON, error="Must be lower-case letters, digits and underscores."),
        metadata={"description": "Such as spam, insult, off_topic"},
    )
    detail = Text(NOTE_LENGTH, allow_none=True, metadata={"description": "In the reader's words"})
    reporter = Text(
        KEY_LENGTH,
        shortest=1,
        metadata={
            "description": "What tells the site's readers apart, taken with the secret key only; "
            "without it, and with the public key, the client's address does"
        },
    )


class ReportAnswerSchema(StrictSchema):
    """What became of a report so far."""

    id = fields.String()
    status = fields.String(metadata={"description": "received, upheld or dismissed"})
