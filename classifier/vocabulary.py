"""Remember what pieces of text have been read as: most of a comment has been seen before.

Nothing here is learnt: a word's vectors follow from its hash, so forgetting changes the time, never a score.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifier.hashing import HashedWords, Hashes, hash_words
from classifier.text import pieces, plain_words, stands_alone, tokens

# Beyond this many words or pieces all are forgotten: the tables of 32,768 words take 31 MB.
_MOST_WORDS, _MOST_PIECES = 1 << 15, 1 << 16
_LONGEST_PIECE = 100
# Stands between comments, so that no word has a neighbour in another comment.
GAP = 0
# Stands for a comment without any word.
NOTHING = "<nothing>"
# No piece of a text is empty or white space, so these can stand for the two above.
_GAP_PIECE, _NOTHING_PIECE = "", " "
# Instead of the id of its word: a piece not read before, and one of several words or none.
_NEW, _OTHER = -1, -2
# So many words are learnt at once: their n-grams fit a processor's cache.
_LEARNT_AT_ONCE = 256

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
    # By piece: the id of its word, or _OTHER, and then its words.
    pieces: dict[str, int] = field(default_factory=lambda: {_GAP_PIECE: GAP})
    others: dict[str, list[int]] = field(default_factory=dict)
    # By id: whether a piece that stands alone was read as this word.
    alone: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(1, np.bool_))


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
            try:
                ids, starts, ends = self._placed(texts)
                self._learn(self._memory)
            except BaseException:
                self._memory = self._empty()  # half-learnt words have no vectors
                raise
            return Read(ids, starts, ends, self._memory.vectors, self._memory.hashes, self._memory.steps)

    def _placed(self, texts: Sequence[str]) -> _Placed:
        """Where the texts' words are in what is remembered; all of it is forgotten if they do not fit in."""
        placed = _ids(self._memory, texts)
        if len(self._memory.words) <= _MOST_WORDS and len(self._memory.pieces) <= _MOST_PIECES:
            return placed
        # First the old tables go, then the new ones come: only a reader of before still has those of before.
        self._memory = self._empty()
        # What was full once will be again: from now on the process is as large as it will be then.
        _make_room(self._memory, _MOST_WORDS)
        _touch(self._memory)
        return _ids(self._memory, texts)

    def _empty(self) -> _Memory:
        memory = _Memory(self._gap)
        memory.pieces[_NOTHING_PIECE] = _word(memory, NOTHING)
        return memory

    def _learn(self, memory: _Memory) -> None:
        known, total = len(memory.words) - len(memory.new_words), len(memory.words)
        if total > len(memory.hashes):
            # Only the words of a single read can be more than the most.
            _make_room(memory, max(total, _MOST_WORDS))
        for first in range(0, total - known, _LEARNT_AT_ONCE):
            hashed = hash_words(memory.new_words[first : first + _LEARNT_AT_ONCE], self._bits)
            rows = slice(known + first, known + first + len(hashed.hashes))
            for part, values in zip(memory.vectors, self._vectors_of(hashed), strict=True):
                part[rows] = values
            memory.hashes[rows], memory.steps[rows] = hashed.hashes, hashed.steps
        memory.new_words = []


def _ids(memory: _Memory, texts: Sequence[str]) -> _Placed:
    """The word ids of texts in one row, and where each text begins and ends there."""
    parts = [text.split() for text in texts]
    numbers, placed = _looked_up(memory, parts)
    # Looking for s p a c e d letters takes ten times as long as seeing where there may be any.
    alone = memory.alone.take(numbers, mode="clip") | (numbers == _OTHER)
    side_by_side = (alone[:-2] & alone[1:-1] & alone[2:]).nonzero()[0]
    if len(side_by_side):
        spaced = {
            text: found
            for text in np.unique(np.cumsum(numbers == GAP)[side_by_side] - 1).tolist()
            if len(found := pieces(texts[text])) < len(parts[text])
        }
        placed = _replaced(memory, placed, spaced)
    wordless = (placed.starts == placed.ends).nonzero()[0].tolist()
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
    """The ids of all pieces, _OTHER for those that are not one word, with a gap around each text; and of all
    words."""
    found = [_GAP_PIECE]
    for part in parts:
        found += part
        found.append(_GAP_PIECE)
    numbers = np.fromiter(map(memory.pieces.get, found, repeat(_NEW)), np.int64, len(found))
    ids = numbers
    unsettled = (numbers < 0).nonzero()[0]
    if len(unsettled):
        numbers[unsettled], others = _settled(memory, [found[i] for i in unsettled.tolist()])
        if others:
            counts = np.ones(len(found), np.int64)
            counts[numbers == _OTHER] = [len(words) for words in others]
            ids = numbers.repeat(counts)
            ids[ids == _OTHER] = [word for words in others for word in words]
    gaps = (ids == GAP).nonzero()[0]
    return numbers, _Placed(ids, gaps[:-1] + 1, gaps[1:])


def _settled(memory: _Memory, found: Sequence[str]) -> tuple[list[int], list[list[int]]]:
    """The ids of some pieces, new ones and _OTHER ones, and the words of each that is _OTHER."""
    new = [piece for piece in dict.fromkeys(found) if piece not in memory.pieces]
    plain = plain_words(new)
    memory.pieces.update(zip(new, [_word(memory, word) if word else _OTHER for word in plain], strict=True))
    for piece in [piece for piece, word in zip(new, plain, strict=True) if not word]:
        words = [_word(memory, word) for word in tokens(piece)]
        if len(words) == 1:
            memory.pieces[piece] = words[0]
        else:
            memory.others[piece] = words
    memory.alone = _with_room(memory.alone, max(len(memory.words), _MOST_WORDS))
    alone = [memory.pieces[piece] for piece in new if stands_alone(piece)]
    memory.alone[[word for word in alone if word != _OTHER]] = True
    ids = [memory.pieces[piece] for piece in found]
    others = [memory.others[piece] for piece, number in zip(found, ids, strict=True) if number == _OTHER]
    for piece in [piece for piece in new if len(piece) > _LONGEST_PIECE]:
        memory.others.pop(piece, None)
        del memory.pieces[piece]
    return ids, others


def _word(memory: _Memory, word: str) -> int:
    known = memory.words.get(word)
    if known is None:
        known = memory.words[word] = len(memory.words)
        memory.new_words.append(word)
    return known


def _make_room(memory: _Memory, needed: int) -> None:
    memory.vectors = tuple(_with_room(part, needed) for part in memory.vectors)
    memory.hashes, memory.steps = _with_room(memory.hashes, needed), _with_room(memory.steps, needed)


def _with_room(rows: NDArray[Any], needed: int) -> NDArray[Any]:
    """The rows in an array for `needed` of them; the room costs nothing until it is written to."""
    if needed <= len(rows):
        return rows
    larger = np.zeros((needed, *rows.shape[1:]), dtype=rows.dtype)
    larger[: len(rows)] = rows
    return larger


def _touch(memory: _Memory) -> None:
    """Write to the room of all rows, so that it is the process's own."""
    tables: tuple[NDArray[Any], ...] = (*memory.vectors, memory.hashes, memory.steps)
    for rows in tables:
        rows[len(memory.words) :] = 0
