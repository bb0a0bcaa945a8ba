"""A row of made-up values in every table, whatever the tables are at some revision."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

Rows = dict[str, list[dict[str, Any]]]


def fill(url: str) -> None:
    """Insert a row into every table, parents first, each foreign key pointing at the row made before."""
    engine = sa.create_engine(url)
    found = sa.MetaData()
    found.reflect(engine)
    made: dict[str, dict[str, Any]] = {}
    with engine.begin() as connection:
        for table in found.sorted_tables:
            if table.name == "alembic_version":
                continue
            made[table.name] = {column.name: _value(column, made) for column in table.columns}
            connection.execute(table.insert(), made[table.name])
    engine.dispose()


def read(url: str) -> Rows:
    """Every row of every table."""
    engine = sa.create_engine(url)
    found = sa.MetaData()
    found.reflect(engine)
    with engine.connect() as connection:
        rows = {
            table.name: [dict(row._mapping) for row in connection.execute(table.select())]
            for table in found.sorted_tables
            if table.name != "alembic_version"
        }
    engine.dispose()
    return rows


def shared(rows: Rows, other: Rows) -> Rows:
    """The part of `rows` that the tables and columns of `other` can hold."""
    return {
        name: [{key: value for key, value in row.items() if key in _columns(other[name])} for row in found]
        for name, found in rows.items()
        if other.get(name)
    }


def _columns(rows: list[dict[str, Any]]) -> set[str]:
    return {key for row in rows for key in row}


def _value(column: sa.Column[Any], made: dict[str, dict[str, Any]]) -> Any:
    for key in column.foreign_keys:
        parent = key.column.table.name
        if parent == column.table.name:
            return None
        return made[parent][key.column.name]
    return _plain(column.type, f"{column.table.name} {column.name} Ünï")


def _plain(kind: sa.types.TypeEngine[Any], text: str) -> Any:
    if isinstance(kind, sa.JSON):
        return {"what": text, "numbers": [1, 2.5, None, True]}
    if isinstance(kind, sa.DateTime):
        at = datetime(2026, 3, 29, 1, 30, 0, 123456, UTC)
        return at if kind.timezone else at.replace(tzinfo=None)
    if isinstance(kind, sa.LargeBinary):
        return text.encode()
    if isinstance(kind, sa.Boolean):
        return True
    if isinstance(kind, sa.Integer):
        return 7
    return 0.25 if isinstance(kind, sa.Numeric | sa.Float) else text
