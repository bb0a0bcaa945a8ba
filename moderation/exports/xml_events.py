"""XML read in passing: the elements that are asked for, as they come, however long the file is.

By expat, and without a DOCTYPE: no export has one, and with it a small file could make itself huge.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO
from xml.parsers import expat

from moderation.exports.found import NotAnExport

CHUNK_BYTES = 64 * 1024
# No text that is longer can be used; what is more of it is not kept.
MOST_TEXT = 100_000
DEEPEST = 50
# XML knows none of these characters and exports have them all the same: one would make all unreadable.
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")
_PACKED = (b"\x1f\x8b", b"PK\x03\x04")
# Stands for NUL while expat looks, so that the comment it is in can be refused and no other.
_NUL = "\ue000"


@dataclass(frozen=True)
class Event:
    """A record began (`text` is None) or ended (it is empty), or a member of one was read."""

    path: str
    text: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Form:
    """What kind of document it must be, and the short prefixes of its namespaces."""

    name: str
    root: str
    # A namespace that the root must declare.
    needs: str
    prefixes: Mapping[str, str]

    def short(self, name: str) -> str:
        """An element or attribute with its short prefix; of namespaces that nobody asked for with "?"."""
        space, _, local = name.rpartition(" ")
        return self.prefix(space) + local if space else local

    def prefix(self, space: str) -> str:
        return next((short for one, short in self.prefixes.items() if re.fullmatch(one, space)), "?:")


def read_events(
    source: IO[bytes], form: Form, records: Collection[str], members: Collection[str]
) -> Iterator[Event]:
    """The elements at these paths; raises NotAnExport with the place, after all that came before it."""
    reader = _Reader(form, frozenset(records), frozenset(members))
    # A plug-in that begins with an empty line spoils many an export; XML would not have it.
    chunk = source.read(CHUNK_BYTES).lstrip(b" \t\r\n")
    if chunk.startswith(_PACKED):
        raise NotAnExport(f"this is no readable {form.name}: it is packed; unpack it first")
    # NUL is half of every other character there.
    clean = bytes if chunk.startswith(_UTF_16) else _clean
    while chunk:
        yield from reader.feed(clean(chunk), last=False)
        chunk = source.read(CHUNK_BYTES)
    yield from reader.feed(b"", last=True)


def _clean(chunk: bytes) -> bytes:
    return _CONTROL.sub(lambda found: _NUL.encode() if found[0] == b"\0" else b" ", chunk)


class _Reader:
    """Expat with what it has to remember: where it is, and the text of the member it is in."""

    def __init__(self, form: Form, records: frozenset[str], members: frozenset[str]) -> None:
        self.form, self.records, self.members = form, records, members
        self.path: list[str] = []
        # None outside of members.
        self.texts: list[str] | None = None
        self.room = 0
        self.spaces: set[str] = set()
        self.events: list[Event] = []
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.buffer_size = CHUNK_BYTES
        self.parser.StartDoctypeDeclHandler = self.refuse_doctype
        self.parser.StartNamespaceDeclHandler = self.declare
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.read

    def feed(self, chunk: bytes, *, last: bool) -> Iterator[Event]:
        """What the next bytes tell."""
        self.events = []
        trouble = self.parse(chunk, last)
        yield from self.events
        if trouble is not None:
            raise trouble

    def parse(self, chunk: bytes, last: bool) -> NotAnExport | None:
        try:
            self.parser.Parse(chunk, last)
        except NotAnExport as error:
            return error
        except expat.ExpatError as error:
            return NotAnExport(self.told(expat.ErrorString(error.code), error.lineno, error.offset))
        except (LookupError, ValueError):
            # An encoding that the file names and nobody knows.
            return self.refused("an encoding that cannot be read")
        return None

    def told(self, why: str, line: int, column: int) -> str:
        return f"this is no readable {self.form.name}: line {line}, column {column + 1}: {why}"

    def refused(self, why: str) -> NotAnExport:
        line, column = self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber
        return NotAnExport(self.told(why, line, column))

    def refuse_doctype(self, *_: object) -> None:
        raise self.refused("a DOCTYPE, which no export has")

    def declare(self, _prefix: str | None, space: str | None) -> None:
        if not self.path and space:
            self.spaces.add(space)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = self.form.short(name)
        if not self.path:
            self.check_root(name)
        if len(self.path) >= DEEPEST:
            raise self.refused("elements within elements without end")
        self.path.append(name)
        path = "/".join(self.path)
        if path in self.records:
            self.events.append(Event(path, attributes={self.form.short(k): v for k, v in attributes.items()}))
        elif path in self.members:
            self.texts, self.room = [], MOST_TEXT

    def check_root(self, name: str) -> None:
        if name != self.form.root or not any(re.fullmatch(self.form.needs, one) for one in self.spaces):
            raise self.refused(f"it does not begin as one, with <{self.form.root}> and its namespaces")

    def read(self, text: str) -> None:
        if self.texts is not None and self.room > 0:
            self.texts.append(text[: self.room])
            self.room -= len(text)

    def end(self, _name: str) -> None:
        path = "/".join(self.path)
        self.path.pop()
        if path in self.records:
            self.events.append(Event(path, ""))
        elif path in self.members and self.texts is not None:
            self.events.append(Event(path, "".join(self.texts).replace(_NUL, "\0")))
            self.texts = None
