"""The tables: comments, decisions, learning and access."""

from moderation.models.access import AccessKey, AuditLine, KeyKind, Moderator, Role, SharedSecret
from moderation.models.base import Base, first_id, new_id, table_of
from moderation.models.comments import Comment, IdempotencyKey, Policy, Site, Submission, Thread
from moderation.models.decisions import Decision, QueueItem, Score
from moderation.models.desk import Outcome, Remark, RemarkKind, Report, Selection
from moderation.models.learning import ImportedExample, Label, RetrainingRun
from moderation.models.usage import SpamCheckMonth

__all__ = [
    "AccessKey",
    "AuditLine",
    "Base",
    "Comment",
    "Decision",
    "IdempotencyKey",
    "ImportedExample",
    "KeyKind",
    "Label",
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
    "SharedSecret",
    "Site",
    "SpamCheckMonth",
    "Submission",
    "Thread",
    "first_id",
    "new_id",
    "table_of",
]
