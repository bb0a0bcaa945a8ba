"""Many rows by one statement, handed to the driver as it wants them.

SQLAlchemy asks for every value of every row what it is named and how it is written. Of hundreds of rows
alike it need be asked once; for what comes that often this takes half the time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import Dialect, Insert, Update
from sqlalchemy.orm import Session

Written = Callable[[Any], Any]


@dataclass(frozen=True)
class _Prepared:
    """A statement in the driver's own words, the order of its values, and what becomes of some of them."""

    words: str
    names: tuple[str, ...]
    ordered: Callable[[Mapping[str, Any]], tuple[Any, ...]]
    written: tuple[tuple[int, Written], ...]
    positional: bool


# By dialect, statement and columns. Few: each statement is written once, in a module.
_prepared: dict[tuple[str, int, tuple[str, ...]], tuple[Insert | Update, _Prepared]] = {}


def run_many(session: Session, statement: Insert | Update, rows: Sequence[Mapping[str, Any]]) -> None:
    """Run a statement that a module keeps once for each row; all rows have the members of the first."""
    if not rows:
        return
    prepared = _prepare(session.get_bind().dialect, statement, tuple(rows[0]))
    values = _values(prepared, rows)
    if not prepared.positional:
        values = [dict(zip(prepared.names, row, strict=True)) for row in values]
    session.connection().exec_driver_sql(prepared.words, values)


def _values(prepared: _Prepared, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    # Rows share values, most of all the time; the rows keep them, so that no other object gets their ids.
    known: list[dict[int, Any]] = [{} for _ in prepared.written]
    found = []
    for row in rows:
        values = list(prepared.ordered(row))
        for (place, how), seen in zip(prepared.written, known, strict=True):
            value = values[place]
            if id(value) not in seen:
                seen[id(value)] = how(value)
            values[place] = seen[id(value)]
        found.append(tuple(values))
    return found


def _prepare(dialect: Dialect, statement: Insert | Update, columns: tuple[str, ...]) -> _Prepared:
    # The statement itself is kept beside the answer: while it lives, no other one has its id.
    key = (dialect.name, id(statement), columns)
    if key not in _prepared:
        _prepared[key] = statement, _compile(dialect, statement, columns)
    return _prepared[key][1]


def _compile(dialect: Dialect, statement: Insert | Update, columns: tuple[str, ...]) -> _Prepared:
    names = None if isinstance(statement, Update) else list(columns)
    compiled = statement.compile(dialect=dialect, column_keys=names)
    order = tuple(compiled.positiontup or compiled.binds)
    if set(order) != set(columns):
        raise TypeError(f"the statement wants {sorted(order)}, the rows have {sorted(columns)}")
    kinds = {name: bind.type.dialect_impl(dialect) for name, bind in compiled.binds.items()}
    processors = [kinds[name].bind_processor(dialect) for name in order]
    written = tuple((place, how) for place, how in enumerate(processors) if how is not None)
    return _Prepared(str(compiled), order, itemgetter(*order), written, bool(compiled.positional))
