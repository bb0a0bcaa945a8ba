"""What the labels of one text say together: who said what, what counts, and where people disagree."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from moderation.domain.sources import PEOPLE, Teacher, weight_of


@dataclass(frozen=True)
class Taught:
    """One label in force: who said it of a category, when, and whether in so many words."""

    category: str
    value: bool
    teacher: Teacher
    explicit: bool
    at: datetime


@dataclass(frozen=True)
class Settled:
    """What counts, the labels that made it so, and the categories of which the labels say different things.

    Of those in conflict the disputed ones count for nothing: nobody whose word weighs more has settled them.
    """

    labels: dict[str, bool]
    deciding: tuple[Taught, ...]
    conflicts: tuple[str, ...]
    disputed: tuple[str, ...]


def settle(taught: Iterable[Taught]) -> Settled:
    """Hear everybody on each category once, with their latest word; the strongest word counts."""
    by_category: dict[str, list[Taught]] = defaultdict(list)
    for one in taught:
        by_category[one.category].append(one)
    heard = {category: _heard(words) for category, words in by_category.items()}
    strongest = {category: _strongest(words) for category, words in heard.items()}
    agreed = {category: words for category, words in strongest.items() if not _differ(words)}
    return Settled(
        labels={category: words[0].value for category, words in agreed.items()},
        deciding=tuple(word for words in agreed.values() for word in words),
        conflicts=tuple(category for category, words in heard.items() if _differ(words)),
        disputed=tuple(category for category in strongest if category not in agreed),
    )


def _heard(words: Sequence[Taught]) -> list[Taught]:
    """The word of each teacher that counts: what was said outright, else what followed, the latest of it."""
    latest: dict[Teacher, Taught] = {}
    for word in sorted(words, key=lambda one: (one.explicit, one.at)):
        latest[word.teacher] = word
    return list(latest.values())


def _strongest(words: Sequence[Taught]) -> list[Taught]:
    most = max(map(_strength, words))
    return [word for word in words if _strength(word) == most]


def _strength(word: Taught) -> tuple[bool, bool, float]:
    """People of the desk before everybody else; then what was said outright; then the source's weight."""
    return word.teacher.source in PEOPLE, word.explicit, weight_of(word.teacher.source)


def _differ(words: Sequence[Taught]) -> bool:
    return len({word.value for word in words}) > 1
