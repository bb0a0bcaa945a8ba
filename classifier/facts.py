"""What is known about a comment besides its words: links, its author, its thread.

Facts are words themselves, so the same hashing serves them. An absent fact gives no word, hence no weight.
"""

from collections.abc import Mapping
from typing import Any

from classifier.text import EMAIL, LINK, normalise

# Words too common to show that a comment is about its thread.
_SHORTEST_TOPIC_WORD = 4


def text_of(comment: Mapping[str, Any], *path: str) -> str:
    """A member's text, "" when it or its parent is missing or None.

    >>> text_of({"author": {"name": "Ann"}}, "author", "name"), text_of({"author": None}, "author", "name")
    ('Ann', '')
    """
    value: Any = comment
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else ""


def facts_of(comment: Mapping[str, Any], body: str) -> list[str]:
    """The facts of a comment whose normalised body is given.

    >>> facts_of({"body": "...", "author": {"name": "Best Shoes"}}, "buy urllink shop example")
    ['links_1', 'words_3', 'name_best', 'name_shoes', 'name_words_2']
    """
    words = body.split(" ")
    links = words.count(LINK) + words.count(EMAIL)
    facts = [f"links_{_size(links)}", f"words_{_size(len(words))}"]
    facts += _author_facts(comment)
    title = {word for word in normalise(text_of(comment, "thread", "title")).split(" ") if _is_topic(word)}
    if title:
        facts.append(f"topic_{min(len(title.intersection(words)), 3)}")
    return facts


def _author_facts(comment: Mapping[str, Any]) -> list[str]:
    name = normalise(text_of(comment, "author", "name")).split()
    facts = [f"name_{word}" for word in name[:8]]
    if name:
        facts.append(f"name_words_{min(len(name), 4)}")
    for member, text in (("site", "url"), ("mail", "email")):
        parts = normalise(text_of(comment, "author", text)).split()[:10]
        facts += [f"{member}_{part}" for part in parts if part not in (LINK, EMAIL)]
    return facts


def _is_topic(word: str) -> bool:
    return len(word) >= _SHORTEST_TOPIC_WORD


def _size(count: int) -> int:
    """
    >>> [_size(n) for n in (0, 1, 2, 3, 4, 100)]
    [0, 1, 2, 2, 3, 7]
    """
    return count.bit_length()
