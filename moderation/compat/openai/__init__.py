"""The OpenAI door."""

from moderation.compat.openai.moderations import bp

__all__ = ["bp"]
