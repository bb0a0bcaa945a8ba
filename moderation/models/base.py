"""What every table shares: the declarative base, time-ordered ids and UTC times."""

import random
import time
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import JSON, DateTime, Dialect, MetaData, Table, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def new_id(prefix: str, at: datetime | None = None) -> str:
    """An opaque id that sorts by the time it was made: prefix, microseconds, 64 random bits.

    What is older than its row, because it came from elsewhere, gets an id of its own time.
    """
    microseconds = time.time_ns() // 1000 if at is None else int(at.timestamp() * 1_000_000)
    return f"{prefix}_{microseconds:014x}{random.getrandbits(64):016x}"


def first_id(prefix: str, at: datetime) -> str:
    """No id made at this time or later sorts before it; with it a primary key finds what is recent."""
    return f"{prefix}_{int(at.timestamp() * 1_000_000):014x}"


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC times in Python; SQLite, which knows no time zones, keeps them as naive UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Json = JSON().with_variant(JSONB(), "postgresql")


class Base(DeclarativeBase):
    """Declarative base of every table."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: UtcDateTime(), dict[str, Any]: Json, list[Any]: Json}  # noqa: RUF012 - SQLAlchemy's own form


def table_of(mapped: type[Base]) -> Table:
    """The table beneath a class, for statements on many rows."""
    return cast(Table, mapped.__table__)
