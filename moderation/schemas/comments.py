"""What blog frontends send and get."""

from marshmallow import fields, validate

from moderation.schemas.fields import (
    BODY_LENGTH,
    EMAIL_LENGTH,
    ID_LENGTH,
    KEY_LENGTH,
    NAME_LENGTH,
    TITLE_LENGTH,
    URL_LENGTH,
    StrictSchema,
    Text,
    Utc,
)
from moderation.schemas.problems import ProblemSchema

# Of one request.
MOST_COMMENTS = 100


class NewThreadSchema(StrictSchema):
    """The page a comment belongs to, by the id the site gave it."""

    id = Text(KEY_LENGTH, shortest=1, required=True)
    url = Text(URL_LENGTH, allow_none=True, metadata={"description": "Kept from the first comment"})
    title = Text(TITLE_LENGTH, allow_none=True, metadata={"description": "Kept from the first comment"})


class NewAuthorSchema(StrictSchema):
    """Who wrote a comment."""

    name = Text(NAME_LENGTH, shortest=1, required=True)
    email = Text(EMAIL_LENGTH, allow_none=True)
    url = Text(URL_LENGTH, allow_none=True)
    id = Text(KEY_LENGTH, allow_none=True, metadata={"description": "The site's own id of the author"})
    ip = fields.IP(allow_none=True)
    user_agent = Text(URL_LENGTH, allow_none=True)


class NewCommentSchema(StrictSchema):
    """A comment handed in."""

    thread = fields.Nested(NewThreadSchema, required=True)
    author = fields.Nested(NewAuthorSchema, required=True)
    body = Text(BODY_LENGTH, shortest=1, required=True)
    parent_id = Text(ID_LENGTH, allow_none=True)
    external_id = Text(KEY_LENGTH, shortest=1, allow_none=True)
    honeypot = Text(
        BODY_LENGTH,
        allow_none=True,
        metadata={
            "description": "The value of a form field people cannot see; anything in it is a program's"
        },
    )


class CommentBatchSchema(StrictSchema):
    """Many comments handed in at once; each is checked and answered by itself."""

    comments = fields.List(
        # Not nested: one comment that cannot be used must not refuse its neighbours.
        fields.Raw(),
        required=True,
        validate=validate.Length(min=1, max=MOST_COMMENTS),
    )


class CommentFormSchema(StrictSchema):
    """The fields of a plain HTML form; others are ignored."""

    site_key = fields.String(metadata={"description": "The site's public key"})
    thread_id = fields.String(required=True)
    thread_url = fields.String(metadata={"description": "Where the browser is led back to"})
    thread_title = fields.String()
    author_name = fields.String(required=True)
    author_email = fields.String()
    author_url = fields.String()
    body = fields.String(required=True)
    parent_id = fields.String()
    honeypot = fields.String(metadata={"description": "A field people cannot see"})


class EditSchema(StrictSchema):
    """A comment's new text."""

    body = Text(BODY_LENGTH, shortest=1, required=True)


class ThreadChangeSchema(StrictSchema):
    """What a site says about one of its threads."""

    url = Text(URL_LENGTH, allow_none=True)
    title = Text(TITLE_LENGTH, allow_none=True)
    closed = fields.Boolean(truthy={True}, falsy={False})


class LinksSchema(StrictSchema):
    """Where to go next."""

    self = fields.String()
    thread = fields.String()


class AcceptedSchema(StrictSchema):
    """The answer to a comment handed in."""

    id = fields.String(required=True)
    status = fields.String(required=True)
    reason = fields.String(allow_none=True)
    receipt = fields.String(required=True, metadata={"description": "Shows the comment's fate without a key"})
    links = fields.Nested(LinksSchema, required=True)


class HandedInSchema(StrictSchema):
    """What became of one comment of a batch: the members of an answer, or a problem."""

    index = fields.Integer(required=True, metadata={"description": "Its place in the request, from 0"})
    status = fields.Integer(required=True, metadata={"description": "202, or the status of the problem"})
    id = fields.String()
    receipt = fields.String()
    links = fields.Nested(LinksSchema)
    replayed = fields.Boolean(metadata={"description": "Whether an earlier request had stored it"})
    problem = fields.Nested(ProblemSchema)


class CommentBatchAnswerSchema(StrictSchema):
    """What became of each comment, in the order of the request."""

    results = fields.List(fields.Nested(HandedInSchema), required=True)


class ThreadSchema(StrictSchema):
    """A thread as shown."""

    id = fields.String(attribute="key")
    url = fields.String(allow_none=True)
    title = fields.String(allow_none=True)
    closed = fields.Boolean()


class DecisionSummarySchema(StrictSchema):
    """The latest decision on a comment."""

    id = fields.String()
    action = fields.String()
    reason = fields.String()
    actor = fields.String(attribute="actor_kind")
    at = Utc(attribute="created_at")


class CommentSchema(StrictSchema):
    """A comment and what became of it."""

    id = fields.String(attribute="comment.id")
    status = fields.String(attribute="comment.status")
    reason = fields.String(attribute="comment.reason", allow_none=True)
    body = fields.String(allow_none=True, metadata={"description": "null once the comment is removed"})
    author = fields.Function(lambda view: {"name": view.comment.author.get("name")})
    thread = fields.Nested(ThreadSchema)
    parent_id = fields.String(attribute="comment.parent_id", allow_none=True)
    external_id = fields.String(attribute="comment.external_id", allow_none=True)
    created_at = Utc(attribute="comment.created_at")
    decided_at = Utc(attribute="comment.decided_at", allow_none=True)
    decision = fields.Nested(DecisionSummarySchema, allow_none=True)


class PublicAuthorSchema(StrictSchema):
    """What everybody may know of an author."""

    name = fields.String()
    url = fields.String(allow_none=True)


class PublishedSchema(StrictSchema):
    """An approved comment as a page shows it."""

    id = fields.String()
    parent_id = fields.String(allow_none=True)
    author = fields.Nested(PublicAuthorSchema)
    body = fields.String()
    created_at = Utc()


class PublishedPageSchema(StrictSchema):
    """A page of approved comments."""

    items = fields.List(fields.Nested(PublishedSchema))
    next_cursor = fields.String(allow_none=True)


class PageQuerySchema(StrictSchema):
    """Where a page begins and how long it is."""

    cursor = fields.String(validate=validate.Length(max=1000))
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=100))
