"""Code of before on tables of after: while machines are brought up to date one by one, both must work"""

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from moderation import migrate
from tests.conftest import SECRET
from tests.migrations.conftest import revisions

REPOSITORY = Path(__file__).parent.parent.parent
VERSIONS = "moderation/migrations/versions"
MAIN_PATH = Path(__file__).with_name("main_path.py")
NEWER = """for table in sa.inspect(op.get_bind()).get_table_names():
        if table != "alembic_version":
            op.add_column(table, sa.Column("newer", sa.String()))
            op.add_column(table, sa.Column("newest", sa.Integer(), nullable=False, server_default="7"))
    op.create_table("novelties", sa.Column("id", sa.String(), primary_key=True))"""


def walk_main_path(code: Path, url: str, home: Path) -> list[str]:
    """What becomes of an innocent and a suspicious comment, with the code in that folder."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GREENROOM_")}
    environ |= {"GREENROOM_HOME": str(home), "GREENROOM_DATABASE_URL": url, "GREENROOM_SECRET_KEY": SECRET}
    # Else one in a hundred innocent comments is in the queue, to be looked at all the same.
    environ["GREENROOM_SPOT_CHECK_SHARE"] = "0"
    done = subprocess.run(
        [sys.executable, str(MAIN_PATH)],
        env=environ | {"PYTHONPATH": str(code)},
        cwd=code,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    fates: list[str] = json.loads(done.stdout)
    return fates


def test_this_code_works_on_tables_with_more_than_it_knows(
    empty_url: str, add_revision: Callable[[str, str], None], tmp_path: Path
) -> None:
    add_revision(NEWER, "pass")
    migrate.upgrade(empty_url)
    assert walk_main_path(REPOSITORY, empty_url, tmp_path / "home") == ["approved", "rejected"]


def test_the_code_before_the_latest_revision_works_on_todays_tables(empty_url: str, tmp_path: Path) -> None:
    before = code_before(revisions()[-1])
    if before is None:
        pytest.skip("there is no earlier revision, or no history that holds its code")
    code = tmp_path / "code"
    with tarfile.open(
        fileobj=io.BytesIO(git("archive", before, "moderation", "classifier", "workers"))
    ) as files:
        files.extractall(code, filter="data")
    migrate.upgrade(empty_url)
    assert walk_main_path(code, empty_url, tmp_path / "home") == ["approved", "rejected"]


def code_before(revision: str) -> str | None:
    """The last commit that did not have this revision yet."""
    if len(revisions()) < 2:
        return None
    script = ScriptDirectory(str(migrate.MIGRATIONS)).get_revision(revision)
    assert script is not None
    path = f"{VERSIONS}/{Path(script.path).name}"
    try:
        added = git("log", "--diff-filter=A", "--format=%H", "--", path).decode().split()
        # Not committed yet: then the code before it is the last commit.
        return git("rev-parse", "--verify", f"{added[-1]}^" if added else "HEAD").decode().strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def git(*words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=REPOSITORY, capture_output=True, check=True).stdout


def test_the_tables_of_that_test_are_really_newer(
    empty_url: str, add_revision: Callable[[str, str], None]
) -> None:
    add_revision(NEWER, "pass")
    migrate.upgrade(empty_url)
    engine = sa.create_engine(empty_url)
    found = {column["name"] for column in sa.inspect(engine).get_columns("submissions")}
    engine.dispose()
    assert {"newer", "newest"} <= found
