"""The moderator console at /console: sign in, see what needs a person and why, decide, take it back."""

from moderation.console.pages import bp

__all__ = ["bp"]
