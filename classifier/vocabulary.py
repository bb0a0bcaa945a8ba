"""Remember what pieces of text have been read as: most of a comment has been seen before.

Nothing here is learnt: a word's vectors follow from its hash, so forgetting changes the time, never a score.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifier.hashing import HashedWords, Hashes, hash_words
from classifier.text import pieces, plain_words, tokens

# Beyond this many words or pieces all are forgotten: 32,768 words take 26 MB.
_MOST_WORDS, _MOST_PIECES = 1 << 15, 1 << 16
_LONGEST_PIECE = 100
# Stands between comments, so that no word has a neighbour in another comment.
GAP = 0
# Stands for a comment without any word.
NOTHING = "<nothing>"
# No piece of a text is empty or white space, so these can stand for the two above.
_GAP_PIECE, _NOTHING_PIECE = "", " "

Ids = NDArray[np.int64]
Vectors = NDArray[np.float32]


class Read(NamedTuple):
    """The words of n texts in one row of ids, a GAP before each text and after the last.

    The words of text i are ids[starts[i]:ends[i]]; vectors[part][id], hashes[id] and steps[id] are a word's.
    """

    ids: Ids
    starts: Ids
    ends: Ids
    vectors: tuple[Vectors, ...]
    hashes: Hashes
    steps: Hashes

    def of(self, text: int) -> Ids:
        """The ids of one text's words."""
        return self.ids[self.starts[text] : self.ends[text]]

    def part(self, first: int, end: int) -> "Read":
        """The texts from `first` to before `end` alone."""
        begin = int(self.starts[first]) - 1 if end > first else 0
        stop = int(self.ends[end - 1]) + 1 if end > first else 1
        starts, ends = self.starts[first:end] - begin, self.ends[first:end] - begin
        return self._replace(ids=self.ids[begin:stop], starts=starts, ends=ends)


class _Placed(NamedTuple):
    ids: Ids
    starts: Ids
    ends: Ids


@dataclass
class _Memory:
    """Tables with room for what comes: a reader of before looks only at rows of before."""

    vectors: tuple[Vectors, ...]
    hashes: Hashes = field(default_factory=lambda: np.zeros(1, np.uint64))
    steps: Hashes = field(default_factory=lambda: np.ones(1, np.uint64))
    words: dict[str, int] = field(default_factory=lambda: {"": GAP})
    new_words: list[str] = field(default_factory=list)
    # A piece's words are flat[first[piece] : first[piece] + count[piece]].
    pieces: dict[str, int] = field(default_factory=dict)
    flat: Ids = field(default_factory=lambda: np.zeros(0, np.int64))
    first: Ids = field(default_factory=lambda: np.zeros(0, np.int64))
    count: Ids = field(default_factory=lambda: np.zeros(0, np.int64))
    lone: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    read: int = 0  # pieces in the tables
    filled: int = 0  # words in `flat`


class Vocabulary:
    """Reads texts as words; `vectors_of` gives the parts (n, width) of n words' vectors, `gap` has a gap's.

    Several parts and not one wide array, because each is looked up and added by itself.
    """

    def __init__(
        self, bits: int, gap: tuple[Vectors, ...], vectors_of: Callable[[HashedWords], tuple[Vectors, ...]]
    ) -> None:
        self._bits = bits
        self._gap = gap
        self._vectors_of = vectors_of
        self._lock = threading.Lock()
        self._memory = self._empty()

    def read(self, texts: Sequence[str]) -> Read:
        """The words of some texts; safe for threads."""
        with self._lock:
            memory = self._memory
            if len(memory.words) > _MOST_WORDS or memory.read > _MOST_PIECES:
                memory = self._memory = self._empty()
            try:
                ids, starts, ends = _ids(memory, texts)
                self._learn(memory)
            except BaseException:
                self._memory = self._empty()  # half-learnt words have no vectors
                raise
            return Read(ids, starts, ends, memory.vectors, memory.hashes, memory.steps)

    def _empty(self) -> _Memory:
        memory = _Memory(self._gap)
        memory.pieces = {_GAP_PIECE: 0, _NOTHING_PIECE: 1}
        _keep_pieces(memory, [[GAP], [_word(memory, NOTHING)]], [False, False])
        return memory

    def _learn(self, memory: _Memory) -> None:
        if not memory.new_words:
            return
        hashed = hash_words(memory.new_words, self._bits)
        known, total = len(memory.words) - len(memory.new_words), len(memory.words)
        if total > len(memory.hashes):
            memory.vectors = tuple(_with_room(part, total, _MOST_WORDS) for part in memory.vectors)
            memory.hashes, memory.steps = (
                _with_room(part, total, _MOST_WORDS) for part in (memory.hashes, memory.steps)
            )
        for part, values in zip(memory.vectors, self._vectors_of(hashed), strict=True):
            part[known:total] = values
        memory.hashes[known:total], memory.steps[known:total] = hashed.hashes, hashed.steps
        memory.new_words = []


def _ids(memory: _Memory, texts: Sequence[str]) -> _Placed:
    """The word ids of texts in one row, and where each text begins and ends there."""
    parts = [text.split() for text in texts]
    numbers, placed = _looked_up(memory, parts)
    lone = memory.lone[numbers]
    # Only where two lone characters stand side by side can there be s p a c e d letters.
    side_by_side = np.flatnonzero(lone[:-1] & lone[1:])
    spaced = {
        text: found
        for text in np.unique(np.cumsum(numbers == 0)[side_by_side] - 1).tolist()
        if len(found := pieces(texts[text])) < len(parts[text])
    }
    placed = _replaced(memory, placed, spaced)
    wordless = np.flatnonzero(placed.starts == placed.ends).tolist()
    return _replaced(memory, placed, {text: [_NOTHING_PIECE] for text in wordless})


def _replaced(memory: _Memory, placed: _Placed, parts: Mapping[int, list[str]]) -> _Placed:
    """The same with some texts (in ascending order) read as other pieces."""
    if not parts:
        return placed
    _, (ids, starts, ends) = _looked_up(memory, list(parts.values()))
    segments, begin = [], 0
    lengths = placed.ends - placed.starts
    for i, text in enumerate(parts):
        segments += [placed.ids[begin : placed.starts[text]], ids[starts[i] : ends[i]]]
        begin = placed.ends[text]
        lengths[text] = ends[i] - starts[i]
    after = np.cumsum(lengths + 1)
    return _Placed(np.concatenate([*segments, placed.ids[begin:]]), after - lengths, after)


def _looked_up(memory: _Memory, parts: Sequence[list[str]]) -> tuple[Ids, _Placed]:
    """The numbers of all pieces, with a gap around each text, and their words."""
    found = [_GAP_PIECE]
    for part in parts:
        found += part
        found.append(_GAP_PIECE)
    known: list[Any] = [*map(memory.pieces.get, found)]
    if None in known:
        known = _learnt(memory, known, found)
    numbers = np.array(known, np.int64)
    count = memory.count[numbers]
    after = np.cumsum(count)
    within = np.arange(after[-1]) - np.repeat(after - count - memory.first[numbers], count)
    gaps = after[numbers == 0]
    return numbers, _Placed(memory.flat[within], gaps[:-1], gaps[1:] - 1)


def _learnt(memory: _Memory, known: list[int | None], found: Sequence[str]) -> list[int]:
    """The numbers of all pieces, where None stood for one not read before."""
    new = list(dict.fromkeys(piece for piece, number in zip(found, known, strict=True) if number is None))
    words = [
        [_word(memory, plain)] if plain else [_word(memory, word) for word in tokens(piece)]
        for piece, plain in zip(new, plain_words(new), strict=True)
    ]
    _keep_pieces(memory, words, [len(piece) == 1 for piece in new])
    numbers = dict(zip(new, range(memory.read - len(new), memory.read), strict=True))
    memory.pieces.update((p, n) for p, n in numbers.items() if len(p) <= _LONGEST_PIECE)
    return [numbers[p] if n is None else n for p, n in zip(found, known, strict=True)]


def _keep_pieces(memory: _Memory, pieces: Sequence[list[int]], lone: Sequence[bool]) -> None:
    """Put new pieces' words into the tables."""
    words = [word for piece in pieces for word in piece]
    counts = np.array([len(piece) for piece in pieces])
    known, total = memory.read, memory.read + len(pieces)
    memory.first, memory.count, memory.lone = (
        _with_room(part, total, _MOST_PIECES) for part in (memory.first, memory.count, memory.lone)
    )
    memory.flat = _with_room(memory.flat, memory.filled + len(words), 2 * _MOST_PIECES)
    memory.flat[memory.filled : memory.filled + len(words)] = words
    memory.first[known:total] = memory.filled + np.cumsum(counts) - counts
    memory.count[known:total] = counts
    memory.lone[known:total] = lone
    memory.read, memory.filled = total, memory.filled + len(words)


def _word(memory: _Memory, word: str) -> int:
    known = memory.words.get(word)
    if known is None:
        known = memory.words[word] = len(memory.words)
        memory.new_words.append(word)
    return known


def _with_room(rows: NDArray[Any], needed: int, usual: int) -> NDArray[Any]:
    """The rows in an array for `needed` of them; the usual room costs nothing until it is written to."""
    if needed <= len(rows):
        return rows
    larger = np.zeros((max(usual, needed + needed // 2), *rows.shape[1:]), dtype=rows.dtype)
    larger[: len(rows)] = rows
    return larger
