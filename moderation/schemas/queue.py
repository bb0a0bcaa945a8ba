"""What moderators send and get."""

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from moderation.domain.policy import CATEGORIES, CLEAN
from moderation.schemas.comments import PageQuerySchema, ThreadSchema
from moderation.schemas.fields import ID_LENGTH, NOTE_LENGTH, REASON, Labels, StrictSchema, Text, Utc
from moderation.services.claims import CLAIM_SECONDS, LONGEST_CLAIM_SECONDS, MOST_CLAIMS, ReleaseReason
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
    max_score = fields.Float(validate=validate.Range(min=0, max=1))
    author = Text(
        500, shortest=1, metadata={"description": "Their id or address at the site, or a part of their name"}
    )
    language = fields.String(
        validate=validate.Regexp(r"^[a-z]{2,3}$"),
        metadata={
            "description": "ISO 639-1, `und` where it could not be told; read some seconds after it opens"
        },
    )
    reported = fields.Boolean(metadata={"description": "Whether readers complained"})
    escalated = fields.Boolean(
        metadata={"description": "Left to a maintainer; moderators see these only when they ask"}
    )
    claimed = fields.Boolean()
    mine = fields.Boolean(metadata={"description": "Only what the caller holds"})
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


class ReleaseSchema(StrictSchema):
    """Why an item is given back."""

    reason = fields.Enum(
        ReleaseReason,
        by_value=True,
        metadata={"description": "After a conflict or distress it is never claimed for the same moderator"},
    )


class ReleasedSchema(StrictSchema):
    """How many items were given back."""

    released = fields.Integer()


class NoteSchema(StrictSchema):
    """A note about an item."""

    note = Text(NOTE_LENGTH, shortest=1, required=True)


class EscalationSchema(StrictSchema):
    """A call for a maintainer."""

    note = Text(NOTE_LENGTH, shortest=1, allow_none=True)


class RemarkSchema(StrictSchema):
    """What a moderator said about an item."""

    id = fields.String()
    kind = fields.String()
    reason = fields.String(allow_none=True)
    note = fields.String(allow_none=True)
    moderator = fields.String(attribute="moderator_name")
    at = Utc(attribute="created_at")


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

    items = fields.List(fields.Nested(BatchItemSchema), validate=validate.Length(min=1, max=MOST_BATCH_ITEMS))
    selection = Text(ID_LENGTH, metadata={"description": "Instead of items: what was frozen by a selection"})

    @validates_schema
    def one_of_both(self, data: dict[str, Any], **_: Any) -> None:
        """Items or a selection."""
        if ("items" in data) == ("selection" in data):
            raise ValidationError("Send either items or a selection.", "items")


class SelectionRequestSchema(StrictSchema):
    """Which items to freeze."""

    filters = fields.Nested(FiltersSchema, load_default=dict)
    count = fields.Integer(
        strict=True,
        load_default=MOST_BATCH_ITEMS,
        validate=validate.Range(min=1, max=MOST_BATCH_ITEMS),
        metadata={"description": "The most urgent of them, at most so many"},
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
    language = fields.String(allow_none=True)
    reports = fields.Integer(metadata={"description": "Readers who complained since the last decision"})
    escalated_at = Utc(allow_none=True)
    previous_id = fields.String(
        allow_none=True, metadata={"description": "The item decided before readers complained"}
    )
    opened_at = Utc()
    due_at = Utc()
    closed_at = Utc(allow_none=True)


class SelectionSchema(StrictSchema):
    """Frozen items: how many, why they are here, and some of them to look at."""

    selection_id = fields.String()
    count = fields.Integer()
    more = fields.Boolean(metadata={"description": "Whether further items have these filters"})
    by_reason = fields.Dict(keys=fields.String(), values=fields.Integer())
    sample = fields.List(fields.Nested(QueueItemSchema))


class QueuePageSchema(StrictSchema):
    """A page of the queue."""

    items = fields.List(fields.Nested(QueueItemSchema))
    next_cursor = fields.String(allow_none=True)
    stable = fields.Boolean(
        metadata={"description": "Whether items keep their places in this order while others work"}
    )


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


class ReportedSchema(StrictSchema):
    """A reader's complaint."""

    id = fields.String()
    reason = fields.String()
    detail = fields.String(allow_none=True)
    outcome = fields.String(allow_none=True)
    at = Utc(attribute="created_at")


class EventSchema(StrictSchema):
    """One thing that happened to a comment at the desk."""

    at = Utc()
    kind = fields.String(
        metadata={"description": "reported, opened, noted, released, escalated, decided, reversed; no claims"}
    )
    actor = fields.String(allow_none=True)
    action = fields.String(allow_none=True)
    reason = fields.String(allow_none=True)
    note = fields.String(allow_none=True)
    id = fields.String(allow_none=True)


class EventsSchema(StrictSchema):
    """All that happened, in its order."""

    items = fields.List(fields.Nested(EventSchema))


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
    remarks = fields.List(fields.Nested(RemarkSchema))
    readers_reports = fields.List(fields.Nested(ReportedSchema))


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
