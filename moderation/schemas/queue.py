"""What moderators send and get."""

from marshmallow import fields, validate

from moderation.domain.policy import CATEGORIES, CLEAN
from moderation.schemas.comments import PageQuerySchema, ThreadSchema
from moderation.schemas.fields import ID_LENGTH, NOTE_LENGTH, REASON, Labels, StrictSchema, Text, Utc
from moderation.services.claims import CLAIM_SECONDS, LONGEST_CLAIM_SECONDS, MOST_CLAIMS
from moderation.services.queue import Sort

MOST_BATCH_ITEMS = 500
REASON_RULE = validate.Regexp(REASON, error="Must be lower-case letters, digits and underscores.")


class FiltersSchema(StrictSchema):
    """What part of the queue is meant."""

    site = Text(ID_LENGTH)
    thread = Text(500)
    reason = fields.String(validate=REASON_RULE)
    category = fields.String(validate=validate.OneOf(CATEGORIES))
    min_score = fields.Float(validate=validate.Range(min=0, max=1))
    claimed = fields.Boolean()
    q = Text(200, shortest=1)


class QueueQuerySchema(FiltersSchema, PageQuerySchema):
    """Filters, order and page of the queue."""

    sort = fields.Enum(Sort, by_value=True, load_default=Sort.DUE)


class ClaimRequestSchema(StrictSchema):
    """How many items to claim, which, and for how long."""

    count = fields.Integer(strict=True, load_default=1, validate=validate.Range(min=1, max=MOST_CLAIMS))
    filters = fields.Nested(FiltersSchema, load_default=dict)
    seconds = fields.Integer(
        strict=True, load_default=CLAIM_SECONDS, validate=validate.Range(min=1, max=LONGEST_CLAIM_SECONDS)
    )


class RenewSchema(StrictSchema):
    """How long the claim shall last from now."""

    seconds = fields.Integer(
        strict=True, load_default=CLAIM_SECONDS, validate=validate.Range(min=1, max=LONGEST_CLAIM_SECONDS)
    )


class RulingSchema(StrictSchema):
    """A moderator's word on a comment."""

    action = fields.String(required=True, validate=validate.OneOf(["approve", "reject"]))
    reason = fields.String(
        validate=REASON_RULE,
        metadata={"description": f"Required to reject; `{CLEAN}` when left out of an approval"},
    )
    labels = Labels(load_default=dict)
    note = Text(NOTE_LENGTH, allow_none=True)


class BatchItemSchema(StrictSchema):
    """An item as the moderator saw it."""

    id = Text(ID_LENGTH, required=True)
    version = fields.Integer(strict=True, required=True)


class BatchSchema(RulingSchema):
    """One ruling for many items."""

    items = fields.List(
        fields.Nested(BatchItemSchema), required=True, validate=validate.Length(min=1, max=MOST_BATCH_ITEMS)
    )


class ClaimSchema(StrictSchema):
    """Who holds an item, and until when."""

    moderator = fields.String()
    moderator_id = fields.String()
    until = Utc()


class FindingSchema(StrictSchema):
    """What one rule found."""

    rule = fields.String()
    outcome = fields.String()
    reason = fields.String()
    detail = fields.String()
    category = fields.String()
    score = fields.Float()
    threshold = fields.Float()


class HeldCommentSchema(StrictSchema):
    """A held comment as a moderator sees it."""

    id = fields.String()
    status = fields.String()
    body = fields.String()
    author = fields.Dict()
    thread = fields.Nested(ThreadSchema)
    parent_id = fields.String(allow_none=True)
    created_at = Utc()


class QueueItemSchema(StrictSchema):
    """Why a comment needs a person."""

    id = fields.String()
    version = fields.Integer()
    site_id = fields.String()
    reason = fields.String()
    why = fields.List(fields.String(), metadata={"description": "The findings in words"})
    findings = fields.List(fields.Nested(FindingSchema))
    scores = fields.Dict(keys=fields.String(), values=fields.Float(), allow_none=True)
    model_version = fields.String(allow_none=True)
    claim = fields.Nested(ClaimSchema, allow_none=True)
    comment = fields.Nested(HeldCommentSchema)
    opened_at = Utc()
    due_at = Utc()
    closed_at = Utc(allow_none=True)


class QueuePageSchema(StrictSchema):
    """A page of the queue."""

    items = fields.List(fields.Nested(QueueItemSchema))
    next_cursor = fields.String(allow_none=True)


class ClaimedSchema(StrictSchema):
    """The items just claimed."""

    items = fields.List(fields.Nested(QueueItemSchema))


class DecisionSchema(StrictSchema):
    """A recorded decision."""

    id = fields.String()
    comment_id = fields.String()
    submission_id = fields.String()
    action = fields.String()
    reason = fields.String()
    status_before = fields.String()
    status_after = fields.String()
    actor = fields.Function(lambda d: {"kind": d.actor_kind, "id": d.actor_id, "name": d.actor_name})
    findings = fields.List(fields.Nested(FindingSchema))
    model_version = fields.String(allow_none=True)
    policy_version = fields.Integer(allow_none=True)
    note = fields.String(allow_none=True)
    batch_id = fields.String(allow_none=True)
    reverses = fields.String(allow_none=True)
    at = Utc(attribute="created_at")


class DecidedSchema(StrictSchema):
    """A decision and the item it closed or opened."""

    decision = fields.Nested(DecisionSchema)
    item = fields.Nested(QueueItemSchema, allow_none=True)


class NeighbourSchema(StrictSchema):
    """An approved comment just before this one in the thread."""

    id = fields.String()
    author = fields.String()
    body = fields.String()
    created_at = Utc()


class SpanSchema(StrictSchema):
    """A part of the body, in characters, and how much it weighed for a category."""

    start = fields.Integer()
    end = fields.Integer()
    category = fields.String()
    weight = fields.Float()


class SimilarSchema(StrictSchema):
    """A decided comment much like this one."""

    comment_id = fields.String()
    body = fields.String()
    status = fields.String()
    reason = fields.String(allow_none=True)
    similarity = fields.Float()


class ItemDetailSchema(QueueItemSchema):
    """An item with everything around it."""

    explanation = fields.List(fields.Nested(SpanSchema))
    thread_context = fields.List(fields.Nested(NeighbourSchema))
    author_history = fields.Dict(keys=fields.String(), values=fields.Integer())
    similar = fields.List(fields.Nested(SimilarSchema))
    decisions = fields.List(fields.Nested(DecisionSchema))


class BatchResultSchema(StrictSchema):
    """What became of one item of a batch."""

    id = fields.String()
    result = fields.String(metadata={"description": "applied, or the type of the problem"})
    detail = fields.String(allow_none=True)
    decision = fields.Nested(DecisionSchema, allow_none=True)


class BatchAnswerSchema(StrictSchema):
    """What became of a batch."""

    batch_id = fields.String()
    results = fields.List(fields.Nested(BatchResultSchema))
