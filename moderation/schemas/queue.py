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
    """What one rule found; one whose outcome is `approve` only tells what is worth knowing."""

    rule = fields.String()
    outcome = fields.String()
    reason = fields.String()
    detail = fields.String()
    category = fields.String()
    score = fields.Float()
    threshold = fields.Float()
    decision_id = fields.String(
        metadata={"description": "The decision on another comment that it goes back to"}
    )


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
    """An approved comment just before this one in the thread, or just after it."""

    id = fields.String()
    author = fields.String()
    body = fields.String()
    created_at = Utc()


_CHARACTERS = "Unicode characters (code points), not UTF-16 units: `Array.from(body)` in JavaScript"


class SpanSchema(StrictSchema):
    """A part of the body, and how much it weighed for a category, in log-odds."""

    start = fields.Integer(metadata={"description": f"The first character; counted in {_CHARACTERS}"})
    end = fields.Integer(metadata={"description": "The character after the last, counted alike"})
    category = fields.String()
    weight = fields.Float()


class DeciderSchema(StrictSchema):
    """Who made a decision: the policy, a moderator, a maintainer or the author."""

    kind = fields.String()
    name = fields.String()


class ToldSchema(StrictSchema):
    """Another comment, what became of it, when and by whom."""

    comment_id = fields.String()
    author = fields.String(allow_none=True)
    body = fields.String()
    status = fields.String()
    reason = fields.String(allow_none=True)
    created_at = Utc()
    decided_at = Utc(allow_none=True)
    decided_by = fields.Nested(DeciderSchema, allow_none=True)
    decision_id = fields.String(allow_none=True)


class SimilarSchema(ToldSchema):
    """A decided comment much like this one."""

    similarity = fields.Float(
        metadata={"description": "The share of pairs of neighbouring words in common, 0 to 1"}
    )


class AuthorPastSchema(StrictSchema):
    """Since when the site knows an author, and their latest decided comments."""

    first_seen = Utc()
    rejected_share = fields.Float(
        allow_none=True, metadata={"description": "Of the author's approved and rejected comments"}
    )
    latest = fields.List(fields.Nested(ToldSchema))


class ItemDetailSchema(QueueItemSchema):
    """An item with everything around it."""

    explanation = fields.List(fields.Nested(SpanSchema))
    parent = fields.Nested(ToldSchema, allow_none=True)
    thread_context = fields.List(fields.Nested(NeighbourSchema))
    thread_after = fields.List(fields.Nested(NeighbourSchema))
    author_history = fields.Dict(keys=fields.String(), values=fields.Integer())
    author_past = fields.Nested(AuthorPastSchema, allow_none=True)
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
