"""What is known about a comment besides its words: links, its author, its thread.

An absent fact counts for nothing: it has no number here and no word.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifier.text import pieces

# Words too common to show that a comment is about its thread.
_SHORTEST_TOPIC_WORD = 4
# Where each kind of fact has its numbers.
_LINKS, _LENGTH, _TOPIC, _NAME, _SITE = 0, 8, 20, 24, 29
FACTS = 32


class About(NamedTuple):
    """The texts of a comment besides its body, "" where there is none.

    The e-mail address is none of them: among the labelled comments nearly only spam came with one, so that a
    model that reads it takes every reader who leaves theirs, as most blogs ask them to, for half a spammer.
    """

    name: str
    addresses: str
    topic: str


NOTHING = About("", "", "")


def text_of(comment: Mapping[str, Any], *path: str) -> str:
    """A member's text, "" when it or its parent is missing or None.

    >>> text_of({"author": {"name": "Ann"}}, "author", "name"), text_of({"author": None}, "author", "name")
    ('Ann', '')
    """
    value: Any = comment
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else ""


def body_of(comment: Mapping[str, Any]) -> str:
    """A comment's own text, "" when it is missing or None."""
    body = comment.get("body")
    return body if isinstance(body, str) else ""


def about(comment: Mapping[str, Any]) -> About:
    """
    >>> about({"author": {"name": "Ann", "email": "a@b.example"}, "thread": {"title": "On tea"}})
    About(name='Ann', addresses='', topic='')
    """
    if not (comment.get("author") or comment.get("thread")):
        return NOTHING
    name, site = text_of(comment, "author", "name"), text_of(comment, "author", "url")
    title = pieces(text_of(comment, "thread", "title"))
    return About(name, site.strip(), " ".join(piece for piece in title if len(piece) >= _SHORTEST_TOPIC_WORD))


def sizes_of(links: NDArray[np.int64], lengths: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    """The numbers (n,) and (n,) of how many links and how many words comments have, by powers of two.

    >>> [part.tolist() for part in sizes_of(np.array([0, 1, 2, 3, 4, 500]), np.array([1, 5, 9, 9, 9, 9000]))]
    [[0, 1, 2, 2, 3, 7], [9, 11, 12, 12, 12, 19]]
    """
    bits = (np.minimum(np.frexp(values)[1], most) for values, most in ((links, 7), (lengths, 11)))
    by_links, by_length = bits
    return _LINKS + by_links, _LENGTH + by_length


def numbers_of(context: About, names: int, shared: int) -> list[int]:
    """The numbers that hold of a comment whose author's name has so many words, and that shares so many with
    its thread's title.

    >>> numbers_of(About("", "http://shoes.example", "Tea"), names=2, shared=0)
    [20, 26, 29]
    """
    numbers = [_TOPIC + min(shared, 3)] if context.topic else []
    if names:
        numbers.append(_NAME + min(names, 4))
    if context.addresses:
        numbers.append(_SITE)
    return numbers
