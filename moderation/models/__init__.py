"""The tables: comments, decisions, what is remembered of them, learning, access and webhooks."""

from moderation.models.access import AccessKey, AuditLine, KeyKind, Moderator, Role, SharedSecret
from moderation.models.base import Base, first_id, new_id, table_of
from moderation.models.comments import Comment, IdempotencyKey, Policy, Site, Submission, Thread
from moderation.models.decisions import Decision, QueueItem, Score
from moderation.models.desk import Outcome, Remark, RemarkKind, Report, Selection
from moderation.models.learning import (
    Drift,
    ImportedExample,
    Label,
    RetrainingRun,
    Shadow,
    ShadowScore,
    SiteProof,
)
from moderation.models.memory import LinkDomain, Memory, MemoryKey, TextImprint, TraceProgress
from moderation.models.usage import SpamCheckMonth
from moderation.models.webhooks import AnnouncedModel, WebhookDelivery, WebhookEndpoint

__all__ = [
    "AccessKey",
    "AnnouncedModel",
    "AuditLine",
    "Base",
    "Comment",
    "Decision",
    "Drift",
    "IdempotencyKey",
    "ImportedExample",
    "KeyKind",
    "Label",
    "LinkDomain",
    "Memory",
    "MemoryKey",
    "Moderator",
    "Outcome",
    "Policy",
    "QueueItem",
    "Remark",
    "RemarkKind",
    "Report",
    "RetrainingRun",
    "Role",
    "Score",
    "Selection",
    "Shadow",
    "ShadowScore",
    "SharedSecret",
    "Site",
    "SiteProof",
    "SpamCheckMonth",
    "Submission",
    "TextImprint",
    "Thread",
    "TraceProgress",
    "WebhookDelivery",
    "WebhookEndpoint",
    "first_id",
    "new_id",
    "table_of",
]
