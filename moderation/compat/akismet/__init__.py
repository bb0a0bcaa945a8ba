"""The Akismet door."""

from moderation.compat.akismet import account, checks, feedback
from moderation.compat.akismet.call import bp

__all__ = ["account", "bp", "checks", "feedback"]
