"""Migrations beside a service at work: nobody waits for long, and interrupted steps are repaired"""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from moderation import migrate
from tests.migrations import rows

AddRevision = Callable[[str, str], None]
MAKE_INDEX = "online.create_index('ix_made_up', 'sites', ['name'], where=\"name <> ''\")"
# A process of its own: Alembic keeps what it works on in a global.
MACHINE = [
    sys.executable,
    "-c",
    "import sys; from pathlib import Path; from moderation import migrate;"
    "migrate.MIGRATIONS = Path(sys.argv[2]); migrate.upgrade(sys.argv[1])",
]
DROP_INDEX = "online.drop_index('ix_made_up', 'sites')"
NEW_SITE = (
    "INSERT INTO sites (id, name, allowed_origins, created_at) VALUES (:id, 'a', '[]', '2026-01-01 00:00:00')"
)


def indexes(url: str) -> dict[str, bool]:
    """The made-up index, if it is there, and whether it can be used."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            query = "SELECT name, 1 FROM sqlite_master WHERE name = 'ix_made_up'"
        else:
            query = (
                "SELECT 'ix_made_up', indisvalid FROM pg_index WHERE indexrelid = to_regclass('ix_made_up')"
            )
        found = {str(name): bool(usable) for name, usable in connection.execute(sa.text(query))}
    engine.dispose()
    return found


def test_an_index_can_be_built_and_dropped_as_a_revision(empty_url: str, add_revision: AddRevision) -> None:
    migrate.upgrade(empty_url)
    rows.fill(empty_url)
    add_revision(MAKE_INDEX, DROP_INDEX)
    migrate.upgrade(empty_url)
    assert indexes(empty_url) == {"ix_made_up": True}
    migrate.downgrade(empty_url, "-1")
    assert indexes(empty_url) == {}
    migrate.upgrade(empty_url)
    assert indexes(empty_url) == {"ix_made_up": True}


@pytest.mark.parametrize("store", ["postgresql"])
def test_an_index_is_built_while_others_write(empty_url: str, add_revision: AddRevision) -> None:
    migrate.upgrade(empty_url)
    add_revision(MAKE_INDEX, DROP_INDEX)
    engine = sa.create_engine(empty_url)
    with engine.begin() as slow:
        slow.execute(sa.text(NEW_SITE), {"id": "slow"})
        machines = [subprocess.Popen([*MACHINE, empty_url, str(migrate.MIGRATIONS)]) for _ in range(2)]
        wait_for_query(engine, "CREATE INDEX CONCURRENTLY")
        with engine.begin() as quick:
            quick.execute(sa.text("SET LOCAL lock_timeout = '5s'"))
            quick.execute(sa.text(NEW_SITE), {"id": "quick"})
    assert [machine.wait(timeout=60) for machine in machines] == [0, 0]
    engine.dispose()
    assert indexes(empty_url) == {"ix_made_up": True}


@pytest.mark.parametrize("store", ["postgresql"])
def test_an_index_left_half_built_is_built_anew(empty_url: str, add_revision: AddRevision) -> None:
    migrate.upgrade(empty_url)
    engine = sa.create_engine(empty_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for name in ("a", "b"):
            connection.execute(sa.text(NEW_SITE), {"id": name})
        with pytest.raises(sa.exc.IntegrityError):
            connection.execute(sa.text("CREATE UNIQUE INDEX CONCURRENTLY ix_made_up ON sites (name)"))
    engine.dispose()
    assert indexes(empty_url) == {"ix_made_up": False}
    add_revision(MAKE_INDEX, DROP_INDEX)
    migrate.upgrade(empty_url)
    assert indexes(empty_url) == {"ix_made_up": True}


@pytest.mark.parametrize("store", ["postgresql"])
def test_a_migration_that_cannot_lock_a_table_lets_others_pass_and_tries_again(
    empty_url: str, add_revision: AddRevision, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate.upgrade(empty_url)
    monkeypatch.setattr(migrate, "LOCK_SECONDS", 0.2)
    tried_again = threading.Event()
    monkeypatch.setattr(migrate.time, "sleep", lambda _seconds: tried_again.set())
    monkeypatch.setattr(migrate, "ATTEMPTS", 1000)
    add_revision(
        "op.add_column('sites', sa.Column('made_up', sa.String()))", "op.drop_column('sites', 'made_up')"
    )
    engine = sa.create_engine(empty_url)
    with ThreadPoolExecutor(1) as pool:
        with engine.begin() as reader:
            reader.execute(sa.text("SELECT * FROM sites"))
            migration = pool.submit(migrate.upgrade, empty_url)
            assert tried_again.wait(60)
            with engine.begin() as other:
                other.execute(sa.text("SET LOCAL lock_timeout = '10s'"))
                other.execute(sa.text("SELECT * FROM sites"))
        migration.result(timeout=60)
    assert "made_up" in {column["name"] for column in sa.inspect(engine).get_columns("sites")}
    engine.dispose()


def wait_for_query(engine: sa.Engine, words: str) -> None:
    """Until some connection runs a statement with these words."""
    query = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE :words AND pid <> pg_backend_pid()"
    )
    for _ in range(600):
        with engine.connect() as connection:
            if connection.scalar(query, {"words": f"{words}%"}):
                return
        time.sleep(0.1)
    raise AssertionError(f"nobody ran {words}")
