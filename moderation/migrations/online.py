"""Indexes on tables in use: on PostgreSQL they are built and dropped while others write.

Such a step cannot be undone by a rollback, so it gets a revision of its own.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op


def create_index(name: str, table: str, columns: Sequence[str], *, where: str | None = None) -> None:
    """Build an index; `where` makes it a partial one."""
    condition = None if where is None else sa.text(where)
    with _outside_the_transaction() as online:
        # An attempt that was interrupted leaves an index nobody uses; `IF NOT EXISTS` would keep it.
        op.drop_index(name, table, if_exists=True, postgresql_concurrently=online)
        op.create_index(
            name,
            table,
            columns,
            postgresql_concurrently=online,
            postgresql_where=condition,
            sqlite_where=condition,
        )


def drop_index(name: str, table: str) -> None:
    """Drop an index."""
    with _outside_the_transaction() as online:
        op.drop_index(name, table, if_exists=True, postgresql_concurrently=online)


@contextmanager
def _outside_the_transaction() -> Iterator[bool]:
    """Whether the database can build indexes beside its writers, and the place to do it."""
    context = op.get_context()
    if context.dialect.name != "postgresql":
        yield False
        return
    with context.autocommit_block():
        # It waits for transactions, but nobody waits for it: there is no hurry to give up.
        before = op.get_bind().exec_driver_sql("SHOW lock_timeout").scalar()
        op.execute("SET lock_timeout = 0")
        yield True
        op.execute(f"SET lock_timeout = '{before}'")
