"""The tables: comments, decisions, what is remembered of them, learning and access."""

from moderation.models.access import AccessKey, KeyKind, Moderator, Role
from moderation.models.base import Base, first_id, new_id, table_of
from moderation.models.comments import Comment, IdempotencyKey, Policy, Site, Submission, Thread
from moderation.models.decisions import Decision, QueueItem, Score
from moderation.models.learning import ImportedExample, Label, RetrainingRun
from moderation.models.memory import LinkDomain, Memory, MemoryKey, TextImprint, TraceProgress

__all__ = [
    "AccessKey",
    "Base",
    "Comment",
    "Decision",
    "IdempotencyKey",
    "ImportedExample",
    "KeyKind",
    "Label",
    "LinkDomain",
    "Memory",
    "MemoryKey",
    "Moderator",
    "Policy",
    "QueueItem",
    "RetrainingRun",
    "Role",
    "Score",
    "Site",
    "Submission",
    "TextImprint",
    "Thread",
    "TraceProgress",
    "first_id",
    "new_id",
    "table_of",
]
