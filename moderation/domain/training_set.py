"""From labels to the examples a model is trained on: what teaches, how much, and what is left out and why.

The steps, in their order: near-copies become one text, its labels are settled, no author and no moderator
may teach too large a share, and all is in the order of time, so that the past teaches and the later judges.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from moderation.domain.likeness import Imprint, imprint_of, packed, similarity, unpacked
from moderation.domain.precedents import LEAST_PAIRS, THE_SAME
from moderation.domain.settling import Settled, Taught, settle
from moderation.domain.sources import PEOPLE, weight_of

# The share of pairs from which two texts teach the same, as the memory calls them the same: the variants of a
# campaign are worth knowing, another word in a long text is not.
SAME = THE_SAME
# Two texts that share so much meet at one of this many numbers in all but two of a thousand cases; a number
# leads to the first few texts only, so that a flood of copies makes the making of the set no slower.
KEYS, MOST_OF_A_KEY = 4, 8
# One author's comments are at most this share of the examples, but never fewer than so many.
AUTHOR_SHARE, AUTHOR_FLOOR = 0.2, 20
# Where several moderators teach, the examples of one weigh no more than this share of all, but so many at
# least: a site where one person does most of the work must not lose it because a second one looked in.
MODERATOR_SHARE, MODERATOR_FLOOR = 0.5, 200
# So many comments may one stand for that was drawn by lot.
MOST_STOOD_FOR = 10.0

Read = Callable[[str], Sequence[str]]


@dataclass(frozen=True)
class LabelledText:
    """A text with its context and every label in force."""

    id: str
    comment: Mapping[str, Any]
    comment_id: str | None
    taught: tuple[Taught, ...]
    # The chance with which it was drawn to be looked at; what people look at anyway is certain.
    chance: float = 1.0


@dataclass(frozen=True)
class LabelledComment:
    """A text with its context and what its labels say together: one example to learn from."""

    comment: Mapping[str, Any]
    labels: Mapping[str, bool]
    weight: float
    source: str
    at: datetime
    comment_id: str | None
    moderator_id: str | None = None


@dataclass(frozen=True)
class TrainingSet:
    """The examples in the order of time, and the figures of how they came about."""

    examples: tuple[LabelledComment, ...]
    figures: Mapping[str, Any]


def training_set(texts: Iterable[LabelledText], read: Read) -> TrainingSet:
    """The examples that labelled texts make; `read` gives the words of a text."""
    ordered = sorted(texts, key=first_taught)
    groups = list(_near_copies_together(ordered, read))
    settled = [(group, settle(taught for text in group for taught in text.taught)) for group in groups]
    examples = [_example(group[0], one) for group, one in settled if one.labels]
    fair = _without_surplus(examples)
    weighed, lightened = _weighed(fair)
    figures = {
        "texts": len(ordered),
        "near_copies": len(ordered) - len(groups),
        "conflicts": sum(len(one.conflicts) for _, one in settled),
        "disputed": sum(len(one.disputed) for _, one in settled),
        "taught_nothing": len(groups) - len(examples),
        "capped_by_author": len(examples) - len(fair),
        "weigh_less_by_moderator": lightened,
        "examples": len(weighed),
        "sources": dict(sorted(Counter(example.source for example in weighed).items())),
        "balance": balance(example.labels for example in weighed),
    }
    return TrainingSet(tuple(weighed), figures)


def settled_comment(text: LabelledText) -> LabelledComment:
    """A text with what its labels say together; what is disputed is left out."""
    return _example(text, settle(text.taught))


def balance(labels: Iterable[Mapping[str, bool]]) -> dict[str, dict[str, int]]:
    """How many examples say yes and how many say no, by category.

    >>> balance([{"spam": True}, {"spam": False, "insult": True}])
    {'insult': {'yes': 1, 'no': 0}, 'spam': {'yes': 1, 'no': 1}}
    """
    said = Counter(pair for one in labels for pair in one.items())
    categories = sorted({category for category, _ in said})
    return {name: {"yes": said[name, True], "no": said[name, False]} for name in categories}


def first_taught(text: LabelledText) -> datetime:
    """When a text was first labelled: what came later may judge a model that knew nothing of it."""
    return min(one.at for one in text.taught)


def largest_fair(counts: Sequence[int], share: float, floor: int) -> int:
    """The most of one kind so that none is more than its share of what is left, but the floor at least.

    >>> largest_fair([900, 40, 40, 40], 0.5, 20), largest_fair([10, 10], 0.2, 20)
    (120, 20)
    """
    most = max(counts, default=0)
    while True:
        allowed = max(floor, int(share * sum(min(count, most) for count in counts)))
        if allowed >= most:
            return max(most, floor)
        most = allowed


def _near_copies_together(texts: Sequence[LabelledText], read: Read) -> Iterator[list[LabelledText]]:
    """Groups of texts that teach the same, each led by the first of them."""
    groups: list[list[LabelledText]] = []
    leaders = _Leaders()
    for text in texts:
        body = str(text.comment.get("body") or "")
        plain = hashlib.blake2b(" ".join(body.casefold().split()).encode(), digest_size=16).digest()
        place = leaders.find(plain)
        if place is None:
            imprint = imprint_of(read(body))
            place = leaders.find_near(imprint)
            if place is None:
                place = len(groups)
                groups.append([])
                leaders.lead(imprint)
            leaders.name(plain, place)
        groups[place].append(text)
    yield from groups


class _Leaders:
    """The first text of each group, found by the very text and by some numbers of its imprint."""

    def __init__(self) -> None:
        self._by_text: dict[bytes, int] = {}
        self._by_key: dict[int, list[int]] = defaultdict(list)
        # As they are stored: a tuple of numbers takes four times the room.
        self._imprints: list[bytes] = []

    def find(self, plain: bytes) -> int | None:
        return self._by_text.get(plain)

    def name(self, plain: bytes, place: int) -> None:
        self._by_text[plain] = place

    def find_near(self, imprint: Imprint) -> int | None:
        if len(imprint) < LEAST_PAIRS:
            return None
        met = {place for key in imprint[:KEYS] for place in self._by_key.get(key, ())}
        near = [(similarity(imprint, unpacked(self._imprints[place])), -place) for place in met]
        best, place = max(near, default=(0.0, 0))
        return -place if best >= SAME else None

    def lead(self, imprint: Imprint) -> None:
        place = len(self._imprints)
        self._imprints.append(packed(imprint))
        for key in imprint[:KEYS] if len(imprint) >= LEAST_PAIRS else ():
            if len(self._by_key[key]) < MOST_OF_A_KEY:
                self._by_key[key].append(place)


def _example(text: LabelledText, settled: Settled) -> LabelledComment:
    heaviest = max(settled.deciding or text.taught, key=lambda one: weight_of(one.teacher.source))
    moderators = {one.teacher.moderator_id for one in settled.deciding if one.teacher.source in PEOPLE}
    return LabelledComment(
        comment=text.comment,
        labels=settled.labels,
        # One drawn by lot stands for all it was drawn from, within reason: a slip of a person would too.
        weight=weight_of(heaviest.teacher.source) * min(1.0 / text.chance, MOST_STOOD_FOR),
        source=heaviest.teacher.source,
        at=first_taught(text),
        comment_id=text.comment_id,
        # Two who say the same vouch for each other.
        moderator_id=moderators.pop() if len(moderators) == 1 else None,
    )


def _without_surplus(examples: Sequence[LabelledComment]) -> list[LabelledComment]:
    """Leave out what one author has too many of: evenly over time, so that past and present both stay."""
    places = _places(examples, _author)
    counts = [len(of_one) for of_one in places.values()]
    unknown = len(examples) - sum(counts)
    most = largest_fair([*counts, *[1] * unknown], AUTHOR_SHARE, AUTHOR_FLOOR)
    left_out = {place for of_one in places.values() for place in _surplus(of_one, most)}
    return [example for place, example in enumerate(examples) if place not in left_out]


def _surplus(places: Sequence[int], most: int) -> set[int]:
    if len(places) <= most:
        return set()
    return set(places) - {places[n * len(places) // most] for n in range(most)}


def _weighed(examples: Sequence[LabelledComment]) -> tuple[list[LabelledComment], int]:
    """Let a moderator who taught too much weigh less, and tell how many examples that concerns."""
    places = _places(examples, lambda example: example.moderator_id)
    if len(places) < 2:
        return list(examples), 0
    counts = {who: len(of_one) for who, of_one in places.items()}
    others = len(examples) - sum(counts.values())
    most = largest_fair([*counts.values(), *[1] * others], MODERATOR_SHARE, MODERATOR_FLOOR)
    shares = {who: min(1.0, most / count) for who, count in counts.items()}
    weighed = [
        replace(example, weight=example.weight * shares.get(example.moderator_id, 1.0))
        for example in examples
    ]
    return weighed, sum(count for count in counts.values() if count > most)


def _places(
    examples: Sequence[LabelledComment], key: Callable[[LabelledComment], Hashable]
) -> dict[Any, list[int]]:
    """The places of the examples of each kind; those of none are left out."""
    found: dict[Any, list[int]] = defaultdict(list)
    for place, example in enumerate(examples):
        if (kind := key(example)) is not None:
            found[kind].append(place)
    return found


def _author(example: LabelledComment) -> str | None:
    """What tells authors apart. A name does not: half of the guests of a blog have the same."""
    author = example.comment.get("author") or {}
    email = author.get("email")
    return str(email).casefold() if email else None
