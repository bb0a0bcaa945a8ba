"""Make comments by a grammar, whose labels are known because of how each was made.

Labelled comments have few adverts, few threats, and hardly any that differ from abuse in meaning alone: blame
of what somebody else said, hatred of Mondays, "kill the process". Of most languages nobody labelled any. Here
one kind of comment is written next to its opposite in like words. The same rules in random choices give many
thousand texts (Ribeiro et al. 2020, "Beyond accuracy: behavioral testing of NLP models with CheckList", made
tests so).
"""

import random
import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

from classifier.categories import CATEGORIES
from classifier.dataset import SOURCES, Rows, joined

# How many comments each grammar makes; those that come out twice count once.
MADE: Mapping[str, int] = {
    "spam": 40_000,
    "speech": 30_000,
    "emoji": 20_000,
    "threats": 20_000,
    "groups": 20_000,
    "insults": 20_000,
}
# By their codes in ISO 639; a grammar of the same name makes so many comments of each.
LANGUAGES = ("ar", "de", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "tr", "zh")
_OF_EACH_LANGUAGE, _IN_LANGUAGES = 4_000, "made: languages"
_FOLDER = Path(__file__).with_name("grammars")
_PART = re.compile(r"\{(\w+)\}")
_BEFORE_A_MARK = re.compile(r"\s+([,.;:!?])")
_SENTENCE = re.compile(r"(^|[.!?]\s+)([^\W\d_])(?!ttps?:)")
_I = re.compile(r"\bi\b")
# So many are written as people do in a hurry, and so many in capitals.
_LOWER, _AS_IT_CAME, _UPPER = 0.2, 0.1, 0.03


def made_comments(seed: int, share: float = 1.0) -> Rows:
    """English comments of all grammars with their labels; `share` of their usual number."""
    return reduce(joined, (comments_of(name, round(share * count), seed) for name, count in MADE.items()))


def made_abroad(seed: int, share: float = 1.0) -> Rows:
    """Comments with their labels in other languages; `share` of their usual number."""
    count = round(share * _OF_EACH_LANGUAGE)
    return reduce(joined, (comments_of(name, count, seed) for name in LANGUAGES))


def comments_of(name: str, count: int, seed: int) -> Rows:
    """At most `count` different comments of one grammar; the same seed gives the same ones.

    `labels` of a kind says what is so (1) and what is not (0); what it does not name is unknown (NaN).
    """
    grammar, language = read_grammar(name), name if name in LANGUAGES else "en"
    draw = random.Random(f"{name} {seed}")  # noqa: S311 - no secret
    kinds = grammar["kind"]
    found: dict[str, tuple[Mapping[str, Any], Mapping[str, int]]] = {}
    for kind in draw.choices(kinds, [kind["share"] for kind in kinds], k=count):
        comment = _comment(kind, grammar["parts"], draw, language)
        found.setdefault(repr(comment), (comment, kind["labels"]))
    labels = np.array(
        [[known.get(category, np.nan) for category in CATEGORIES] for _, known in found.values()]
    ).reshape(-1, len(CATEGORIES))
    source = _IN_LANGUAGES if name in LANGUAGES else f"made: {name}"
    return Rows(
        [comment for comment, _ in found.values()],
        labels,
        np.full(labels.shape, SOURCES[source][0]),
        np.full(len(found), source),
        np.full(len(found), language),
    )


def read_grammar(name: str) -> dict[str, Any]:
    """`parts`, what {part} may stand for, and `kind`, the kinds of comments with their labels."""
    return tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def expanded(text: str, parts: Mapping[str, Sequence[str]], draw: random.Random) -> str:
    """A text with each {part} replaced by one of its choices, which may hold parts themselves.

    >>> expanded("{who} fixed it", {"who": ["{name}"], "name": ["ada"]}, random.Random(0))
    'ada fixed it'
    """
    return _PART.sub(lambda found: expanded(draw.choice(parts[found[1]]), parts, draw), text)


def written(text: str, draw: random.Random, language: str = "en") -> str:
    """A text as people write: most begin sentences with a capital, some do not.

    >>> written("well , i see .  thanks", random.Random(0))
    'Well, I see. Thanks'
    """
    text = _BEFORE_A_MARK.sub(r"\1", " ".join(text.split()))
    lot = draw.random()
    if lot < _LOWER:
        return text.rstrip(".").lower()
    if lot < _LOWER + _AS_IT_CAME:
        return text
    text = _SENTENCE.sub(lambda found: found[1] + found[2].upper(), text)
    text = _I.sub("I", text) if language == "en" else text
    return text.upper() if lot > 1 - _UPPER else text


def _comment(
    kind: Mapping[str, Any], parts: Mapping[str, Sequence[str]], draw: random.Random, language: str
) -> dict[str, Any]:
    def chosen(member: str) -> str:
        return expanded(draw.choice(kind.get(member, [""])), parts, draw).strip()

    return {
        "body": written(chosen("body"), draw, language),
        "author": {"name": chosen("author_name"), "url": chosen("author_url"), "email": ""},
        "thread": {"title": chosen("thread_title")},
    }
