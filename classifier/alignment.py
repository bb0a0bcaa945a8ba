"""Normalise a text and remember where each character came from."""

from itertools import pairwise
from typing import NamedTuple

from classifier.text import AFTER_FOLDING, BEFORE_FOLDING, Step, fold, joins_previous


class Aligned(NamedTuple):
    """A text whose character i was made from characters starts[i] to ends[i] of the original."""

    text: str
    starts: list[int]
    ends: list[int]


def align(text: str) -> Aligned:
    """`text.normalise` with origins; the text is the same as there.

    >>> aligned = align("Hi &amp; BYE")
    >>> aligned.text, aligned.starts[3], aligned.ends[3]
    ('hi bye', 9, 10)
    """
    aligned = Aligned(text, list(range(len(text))), list(range(1, len(text) + 1)))
    for step in BEFORE_FOLDING:
        aligned = _substitute(step, aligned)
    aligned = _fold(aligned)
    for step in AFTER_FOLDING:
        aligned = _substitute(step, aligned)
    first = len(aligned.text) - len(aligned.text.lstrip(" "))
    last = len(aligned.text.rstrip(" "))
    return Aligned(aligned.text[first:last], aligned.starts[first:last], aligned.ends[first:last])


def _substitute(step: Step, source: Aligned) -> Aligned:
    pieces = []
    position = 0
    for found in step.pattern.finditer(source.text):
        pieces += [(position, found.start(), None), (found.start(), found.end(), step.replacement(found))]
        position = found.end()
    if not pieces:
        return source
    return _assemble(source, [*pieces, (position, len(source.text), None)])


def _fold(source: Aligned) -> Aligned:
    """Fold group by group: a character with all that may merge into it."""
    edges = [i for i, character in enumerate(source.text) if i == 0 or not joins_previous(character)]
    groups = pairwise([*edges, len(source.text)])
    return _assemble(source, [(start, end, fold(source.text[start:end])) for start, end in groups])


def _assemble(source: Aligned, pieces: list[tuple[int, int, str | None]]) -> Aligned:
    """Join pieces (start, end, replacement or None to keep)."""
    texts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for start, end, replacement in pieces:
        if replacement is None:
            texts.append(source.text[start:end])
            starts += source.starts[start:end]
            ends += source.ends[start:end]
        elif replacement and end > start:
            texts.append(replacement)
            starts += [source.starts[start]] * len(replacement)
            ends += [source.ends[end - 1]] * len(replacement)
    return Aligned("".join(texts), starts, ends)
