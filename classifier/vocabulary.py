"""Remember what pieces of text have been read as: most of a comment has been seen before.

Nothing here is learnt: a word's vector follows from its hash, so forgetting changes the time, never a score.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifier.hashing import HashedWords, Hashes, hash_words
from classifier.text import pieces, tokens

# Beyond this many words or pieces all are forgotten: 32,768 words take 26 MB.
_MOST_WORDS, _MOST_PIECES = 1 << 15, 1 << 16
_LONGEST_PIECE = 40
# Stands between comments, so that no word has a neighbour in another comment.
GAP = 0
# Stands for a comment without any word.
NOTHING = "<nothing>"

Vectors = NDArray[np.float32]


class Read(NamedTuple):
    """The words of n texts in one row of ids, a GAP before each text and after the last.

    The words of text i are ids[starts[i]:ends[i]]; vectors[part][id], hashes[id] and steps[id] are a word's.
    """

    ids: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    vectors: tuple[Vectors, ...]
    hashes: Hashes
    steps: Hashes

    def of(self, text: int) -> NDArray[np.int64]:
        """The ids of one text's words."""
        return self.ids[self.starts[text] : self.ends[text]]

    def first(self, n: int) -> "Read":
        """The first n texts alone."""
        end = int(self.ends[n - 1]) + 1 if n else 1
        return self._replace(ids=self.ids[:end], starts=self.starts[:n], ends=self.ends[:n])


@dataclass
class _Memory:
    vectors: tuple[Vectors, ...]
    hashes: Hashes = field(default_factory=lambda: np.zeros(1, np.uint64))
    steps: Hashes = field(default_factory=lambda: np.ones(1, np.uint64))
    words: dict[str, int] = field(default_factory=lambda: {"": GAP})
    pieces: dict[str, tuple[int, ...]] = field(default_factory=dict)
    new: list[str] = field(default_factory=list)


class Vocabulary:
    """Reads texts as words; `vectors_of` gives the vectors (n, width), one for each of `widths`, of n words.

    Several parts and not one wide array, because each is looked up and added by itself.
    """

    def __init__(
        self, bits: int, widths: Sequence[int], vectors_of: Callable[[HashedWords], tuple[Vectors, ...]]
    ) -> None:
        self._bits = bits
        self._widths = widths
        self._vectors_of = vectors_of
        self._lock = threading.Lock()
        self._memory = self._empty()

    def read(self, texts: Sequence[str]) -> Read:
        """The words of some texts; safe for threads."""
        with self._lock:
            memory = self._memory
            if len(memory.words) > _MOST_WORDS or len(memory.pieces) > _MOST_PIECES:
                memory = self._memory = self._empty()
            try:
                ids, starts, ends = _ids(memory, texts)
                self._learn(memory)
            except BaseException:
                self._memory = self._empty()  # half-learnt words have no vectors
                raise
            return Read(ids, starts, ends, memory.vectors, memory.hashes, memory.steps)

    def _empty(self) -> _Memory:
        return _Memory(tuple(np.zeros((1, width), np.float32) for width in self._widths))

    def _learn(self, memory: _Memory) -> None:
        if not memory.new:
            return
        hashed = hash_words(memory.new, self._bits)
        # Arrays grow in place when there is room: a reader of before looks only at rows of before.
        known, total = len(memory.words) - len(memory.new), len(memory.words)
        if total > len(memory.hashes):
            room = max(1024, total + total // 2)
            memory.vectors = tuple(_grown(part, room) for part in memory.vectors)
            memory.hashes, memory.steps = _grown(memory.hashes, room), _grown(memory.steps, room)
        for part, values in zip(memory.vectors, self._vectors_of(hashed), strict=True):
            part[known:total] = values
        memory.hashes[known:total], memory.steps[known:total] = hashed.hashes, hashed.steps
        memory.new = []


def _ids(memory: _Memory, texts: Sequence[str]) -> tuple[NDArray[np.int64], ...]:
    ids, starts, ends = [GAP], [], []
    for text in texts:
        starts.append(len(ids))
        found = pieces(text)
        known = list(map(memory.pieces.get, found))
        if None in known:
            known = [_new_piece(memory, p) if k is None else k for k, p in zip(known, found, strict=True)]
        ids.extend(chain.from_iterable(filter(None, known)))
        if len(ids) == starts[-1]:
            ids.append(_word(memory, NOTHING))
        ends.append(len(ids))
        ids.append(GAP)
    return np.array(ids), np.array(starts, dtype=np.int64), np.array(ends, dtype=np.int64)


def _new_piece(memory: _Memory, piece: str) -> tuple[int, ...]:
    ids = tuple(_word(memory, word) for word in tokens(piece))
    if len(piece) <= _LONGEST_PIECE:
        memory.pieces[piece] = ids
    return ids


def _word(memory: _Memory, word: str) -> int:
    known = memory.words.get(word)
    if known is None:
        known = memory.words[word] = len(memory.words)
        memory.new.append(word)
    return known


def _grown(rows: NDArray[Any], room: int) -> NDArray[Any]:
    larger = np.zeros((room, *rows.shape[1:]), dtype=rows.dtype)
    larger[: len(rows)] = rows
    return larger
