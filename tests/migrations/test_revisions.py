"""Every revision, up and down, on both databases and on tables that hold rows"""

import re
import subprocess
import sys

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from moderation import migrate
from moderation.models import Base
from tests.migrations import rows
from tests.migrations.conftest import revisions

REVISIONS = revisions()


def tables(url: str) -> set[str]:
    engine = sa.create_engine(url)
    found = set(sa.inspect(engine).get_table_names())
    engine.dispose()
    return found


def test_up_makes_exactly_what_the_models_say(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    engine = sa.create_engine(empty_url)
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)
    found = sa.MetaData()
    found.reflect(engine)
    engine.dispose()
    assert differences == []
    # Alembic does not look at the condition of a partial index.
    assert conditions(found, engine.dialect.name) == conditions(Base.metadata, engine.dialect.name)


def conditions(metadata: sa.MetaData, dialect: str) -> dict[str, str]:
    """The partial indexes and their conditions, in plain words."""
    return {
        str(index.name): re.sub(r"[()]", "", str(index.dialect_options[dialect]["where"])).lower()
        for table in metadata.tables.values()
        for index in table.indexes
        if index.dialect_options[dialect]["where"] is not None
    }


def test_up_down_up_leaves_the_same_tables(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    before = tables(empty_url)
    migrate.downgrade(empty_url, "base")
    assert tables(empty_url) == {"alembic_version"}
    migrate.upgrade(empty_url)
    assert tables(empty_url) == before


@pytest.mark.parametrize("revision", REVISIONS[1:])
def test_a_revision_keeps_the_rows_that_are_there_upwards_downwards_and_upwards_again(
    empty_url: str, revision: str
) -> None:
    before = REVISIONS[REVISIONS.index(revision) - 1]
    migrate.upgrade(empty_url, before)
    rows.fill(empty_url)
    old = rows.read(empty_url)
    for step, goal in ((migrate.upgrade, revision), (migrate.downgrade, before), (migrate.upgrade, revision)):
        step(empty_url, goal)
        now = rows.read(empty_url)
        assert rows.shared(now, old) == rows.shared(old, now)
        assert {name for name, found in old.items() if found} <= {
            name for name, found in now.items() if found
        }


def test_all_revisions_go_down_one_by_one_with_rows_in_the_tables(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    rows.fill(empty_url)
    assert all(rows.read(empty_url).values())
    for revision in [*REVISIONS[-2::-1], "base"]:
        migrate.downgrade(empty_url, revision)
    assert tables(empty_url) == {"alembic_version"}
    migrate.upgrade(empty_url)
    rows.fill(empty_url)


def test_two_machines_may_migrate_at_once(empty_url: str) -> None:
    command = [
        sys.executable,
        "-c",
        "import sys; from moderation import migrate; migrate.upgrade(sys.argv[1])",
    ]
    both = [subprocess.Popen([*command, empty_url]) for _ in range(2)]
    assert [process.wait(timeout=60) for process in both] == [0, 0]
    assert "comments" in tables(empty_url)
