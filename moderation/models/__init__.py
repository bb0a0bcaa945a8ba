"""The tables: comments, decisions, learning, access and webhooks."""

from moderation.models.access import AccessKey, KeyKind, Moderator, Role
from moderation.models.base import Base, first_id, new_id, table_of
from moderation.models.comments import Comment, IdempotencyKey, Policy, Site, Submission, Thread
from moderation.models.decisions import Decision, QueueItem, Score
from moderation.models.learning import ImportedExample, Label, RetrainingRun
from moderation.models.webhooks import WebhookDelivery, WebhookEndpoint

__all__ = [
    "AccessKey",
    "Base",
    "Comment",
    "Decision",
    "IdempotencyKey",
    "ImportedExample",
    "KeyKind",
    "Label",
    "Moderator",
    "Policy",
    "QueueItem",
    "RetrainingRun",
    "Role",
    "Score",
    "Site",
    "Submission",
    "Thread",
    "WebhookDelivery",
    "WebhookEndpoint",
    "first_id",
    "new_id",
    "table_of",
]
