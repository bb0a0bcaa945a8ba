"""The moderator console at /console: sign in, see what needs a person and why, decide, take it back."""

from moderation.console import (
    history_pages,
    item_forms,
    model_pages,
    people_pages,
    queue_pages,
    session_pages,
    site_pages,
    statistics_page,
)
from moderation.console.blueprint import bp

# Imported for the routes that they add to the blueprint.
PAGES = (
    session_pages,
    queue_pages,
    item_forms,
    history_pages,
    statistics_page,
    model_pages,
    site_pages,
    people_pages,
)

__all__ = ["bp"]
