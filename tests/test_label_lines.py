"""Labels as JSON Lines are stored in pieces: nobody waits long, and what was stored stays."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from moderation.database import Database
from moderation.label_lines import LINES_TOGETHER, take_lines
from moderation.models import ImportedExample, Label
from tests.conftest import make_site
from tests.together import together

NOW = datetime(2026, 6, 1, tzinfo=UTC)
COUNT = 2 * LINES_TOGETHER + 50


def some_lines(count: int = COUNT) -> Iterator[bytes]:
    for n in range(count):
        yield json.dumps({"body": f"text number {n}", "labels": {"spam": n % 2 == 0}}).encode()


def stored(database: Database) -> tuple[int, int]:
    """How many texts and labels there are."""
    with database.read() as session:
        texts, labels = (session.scalar(select(func.count(one.id))) for one in (ImportedExample, Label))
    return texts or 0, labels or 0


def test_others_get_their_turn_between_two_pieces(database: Database) -> None:
    others = [threading.Thread(target=make_site, args=[database]) for _ in range(2)]
    seen = []

    def interrupted() -> Iterator[bytes]:
        for n, line in enumerate(some_lines()):
            if n and n % LINES_TOGETHER == 0:
                seen.append(stored(database)[0])
                other = others.pop()
                other.start()
                other.join(timeout=10)
                assert not other.is_alive()
            yield line

    assert take_lines(database, interrupted(), NOW).taken == COUNT
    assert seen == [LINES_TOGETHER, 2 * LINES_TOGETHER]


def test_what_was_stored_before_an_interruption_stays_and_once_more_completes_it(database: Database) -> None:
    def broken() -> Iterator[bytes]:
        yield from some_lines()
        raise ConnectionError

    with pytest.raises(ConnectionError):
        take_lines(database, broken(), NOW)
    assert stored(database) == (2 * LINES_TOGETHER, 2 * LINES_TOGETHER)
    for _ in range(2):
        assert take_lines(database, some_lines(), NOW).taken == COUNT
        assert stored(database) == (COUNT, COUNT)


def test_bad_lines_keep_their_numbers_over_the_pieces_and_empty_ones_end_nothing(database: Database) -> None:
    lines = [b"\n"] * (LINES_TOGETHER + 1) + [b"?"] + list(some_lines(LINES_TOGETHER)) + [b"?"]
    result = take_lines(database, lines, NOW)
    assert result.taken == LINES_TOGETHER
    assert [number for number, _ in result.problems] == [LINES_TOGETHER + 2, len(lines)]


def test_two_who_send_the_same_at_once_double_nothing(database: Database) -> None:
    calls = [lambda: take_lines(database, some_lines(), NOW).taken] * 2
    assert together(calls) == [COUNT, COUNT]
    assert stored(database) == (COUNT, COUNT)


def test_of_one_text_the_later_line_counts(database: Database) -> None:
    lines = [json.dumps({"body": "a text", "labels": {"spam": n % 2 == 0}}).encode() for n in range(8)]
    assert take_lines(database, lines, NOW).taken == 8
    with database.read() as session:
        live = session.scalars(select(Label.value).where(Label.retracted_at.is_(None))).all()
    assert live == [False]
