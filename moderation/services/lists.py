"""A list as one parameter: the statement stays the same however long it is, and need not be read anew."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, FromClause, String, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

DIALECTS = ("sqlite", "postgresql")


def dialect_of(session: Session) -> str:
    """The name of the session's dialect."""
    return session.get_bind().dialect.name


def is_one_of(column: ColumnElement[Any], name: str, dialect: str) -> ColumnElement[bool]:
    """The column's value is in the list that the parameter holds."""
    if dialect == "sqlite":
        listed = func.json_each(bindparam(name, type_=String)).table_valued("value")
        return column.in_(select(listed.c.value))
    return column == func.any(bindparam(name, type_=ARRAY(column.type)))


def pairs_in(name: str, first: str, second: str, dialect: str) -> FromClause:
    """A table of the pairs of texts that two lists make, the parameters `first` and `second`."""
    if dialect == "sqlite":
        ones = func.json_each(bindparam(first, type_=String)).table_valued("key", "value", name="ones")
        others = func.json_each(bindparam(second, type_=String)).table_valued("key", "value", name="others")
        together = select(ones.c.value.label(first), others.c.value.label(second))
        return together.join_from(ones, others, ones.c.key == others.c.key).cte(name)
    lists = [bindparam(one, type_=ARRAY(String)) for one in (first, second)]
    listed = func.unnest(*lists).table_valued(first, second, name="listed").render_derived()
    return select(listed.c[first], listed.c[second]).cte(name)


def parameter(values: Sequence[Any], dialect: str) -> Any:
    """The list as the parameter's value."""
    return json.dumps(list(values)) if dialect == "sqlite" else list(values)
