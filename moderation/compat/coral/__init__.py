"""The door for Coral's external moderation phase."""

from moderation.compat.coral.phase import bp

__all__ = ["bp"]
