"""The Perspective door."""

from moderation.compat.perspective import analyze, discovery, suggest
from moderation.compat.perspective.call import bp

__all__ = ["analyze", "bp", "discovery", "suggest"]
