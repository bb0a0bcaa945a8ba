"""Where labels come from, and how much a word from there weighs."""

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """Who said what a label says."""

    MAINTAINER = "maintainer"
    MODERATOR = "moderator"
    AKISMET = "akismet"
    PERSPECTIVE = "perspective"
    IMPORT = "import"
    REPORT = "report"


# What a maintainer said outweighs a moderator's word, and both outweigh the rest, when they disagree.
# Akismet and Perspective: somebody at the site pressed a button, a person's word, but given in passing.
# An import: decided elsewhere, by rules nobody here knows. A report: one reader's complaint.
WEIGHTS = {
    Source.MAINTAINER: 2.0,
    Source.MODERATOR: 1.0,
    Source.AKISMET: 0.75,
    Source.PERSPECTIVE: 0.75,
    Source.IMPORT: 0.5,
    Source.REPORT: 0.25,
}
PEOPLE = frozenset({Source.MAINTAINER, Source.MODERATOR})


@dataclass(frozen=True)
class Teacher:
    """Who taught a label: the source, on which site, and which moderator, as far as they are known."""

    source: str
    site_id: str | None = None
    moderator_id: str | None = None


def weight_of(source: str) -> float:
    """How much a label of this source weighs; of one that newer code wrote as much as a moderator's.

    >>> weight_of("maintainer"), weight_of("import"), weight_of("something newer")
    (2.0, 0.5, 1.0)
    """
    return WEIGHTS[Source(source)] if source in WEIGHTS else 1.0
