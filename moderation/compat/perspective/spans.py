"""Sentences of a text with their places in UTF-16 units, as JavaScript and Java count."""

import re

# A sentence ends with its marks or a line; what is between two ends belongs to the first.
_SENTENCE = re.compile(r"[^.!?\n\u3002\uff01\uff1f]*[.!?\n\u3002\uff01\uff1f]*\s*", re.UNICODE)
MOST_SENTENCES = 200


def units(text: str) -> int:
    """The length of a text in UTF-16 code units.

    >>> units("a"), units("\U0001f469"), units("\u00e9")
    (1, 2, 1)
    """
    return len(text.encode("utf-16-le")) // 2


def sentences(text: str) -> list[tuple[int, int, str]]:
    """Begin and end (exclusive, UTF-16 units) of each sentence with its text; the whole text is covered.

    >>> sentences("Hi \U0001f600! You.")
    [(0, 7, 'Hi \U0001f600! '), (7, 11, 'You.')]
    """
    found: list[tuple[int, int, str]] = []
    at, rest = 0, text
    for match in _SENTENCE.finditer(text):
        piece = match[0]
        if not piece:
            continue
        if len(found) == MOST_SENTENCES - 1:
            piece = rest
        end = at + units(piece)
        found.append((at, end, piece))
        at, rest = end, rest[len(piece) :]
        if not rest:
            break
    return found
