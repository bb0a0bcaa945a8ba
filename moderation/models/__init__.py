"""The tables: comments, decisions, learning and access."""

from moderation.models.access import AccessKey, KeyKind, Moderator, Role
from moderation.models.base import Base, first_id, new_id, table_of
from moderation.models.comments import Comment, IdempotencyKey, Policy, Site, Submission, Thread
from moderation.models.decisions import Decision, QueueItem, Score
from moderation.models.desk import Outcome, Remark, RemarkKind, Report, Selection
from moderation.models.learning import ImportedExample, Label, RetrainingRun

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
    "Site",
    "Submission",
    "Thread",
    "first_id",
    "new_id",
    "table_of",
]
