"""The pages of the console in their order: a page more is a line more."""

from typing import NamedTuple

from moderation.models import Role


class Page(NamedTuple):
    """Where a page is, what it is called, and whether only maintainers see it."""

    endpoint: str
    title: str
    maintainers: bool = False


PAGES = (
    Page("console.show_queue", "Queue"),
    Page("console.show_history", "History"),
    Page("console.show_statistics", "Statistics"),
    Page("console.show_models", "Models", maintainers=True),
    Page("console.show_sites", "Sites", maintainers=True),
    Page("console.show_people", "People", maintainers=True),
)


def pages_for(role: str) -> list[Page]:
    """What somebody of this role may open."""
    return [page for page in PAGES if role == Role.MAINTAINER or not page.maintainers]
