"""Commands that touch the database, as people call them: each in its process, on both stores"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import SECRET

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def greenroom(database_url: str, tmp_path: Path) -> Run:
    """Run `greenroom` with these words on this test's database."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GREENROOM_")}
    environ |= {"GREENROOM_HOME": str(tmp_path / "home"), "GREENROOM_SECRET_KEY": SECRET}

    def run(*words: str, stdin: str = "", url: str = database_url) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "workers.cli", *words]
        own = environ | {"GREENROOM_DATABASE_URL": url}
        return subprocess.run(command, env=own, input=stdin, capture_output=True, text=True, timeout=100)

    return run


def test_a_site_and_its_people_are_made_and_listed(greenroom: Run) -> None:
    made = greenroom("site", "create", "--name", "Ünsere Seite", "--json")
    assert made.returncode == 0, made.stderr
    assert set(json.loads(made.stdout)) == {"site_id", "secret_key", "public_key", "akismet_key"}
    person = greenroom("moderator", "create", "--name", "Bruno", "--role", "moderator", "--json")
    assert set(json.loads(person.stdout)) == {"moderator_id", "key"}
    again = greenroom("moderator", "create", "--name", "Bruno", "--role", "moderator", "--json")
    assert (again.returncode, again.stdout) == (2, "")
    assert "exists" in again.stderr


def test_labels_that_are_imported_are_exported_in_the_same_form(greenroom: Run) -> None:
    line = {"body": "Günstige Uhren ☕", "labels": {"spam": True, "insult": False}}
    taken = greenroom("import", stdin=json.dumps(line) + "\nnot a line\n")
    assert (taken.returncode, taken.stdout) == (0, "1 taken, 1 refused\n")
    written = greenroom("export")
    (example,) = map(json.loads, written.stdout.splitlines())
    assert (example["body"], example["labels"]) == (line["body"], line["labels"])


def test_migrating_again_changes_nothing(greenroom: Run) -> None:
    assert greenroom("migrate").returncode == 0


def test_a_database_without_tables_is_told_in_one_line_without_the_address(
    greenroom: Run, store: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'empty.db'}"
    if store == "postgresql":
        url = request.getfixturevalue("postgresql_server").url
    refused = greenroom("site", "create", "--name", "A", "--json", url=url)
    assert (refused.returncode, refused.stdout) == (2, "")
    (line,) = refused.stderr.splitlines()
    assert "has `greenroom migrate` run?" in line
    assert url not in line
