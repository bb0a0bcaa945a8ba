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


def test_people_are_let_out_and_in_and_get_other_keys(greenroom: Run) -> None:
    greenroom("moderator", "create", "--name", "Carla", "--role", "maintainer", "--json")
    greenroom("moderator", "create", "--name", "Bruno", "--json")
    assert greenroom("moderator", "new-key", "Bruno").stdout.startswith("gr_mod_")
    assert greenroom("moderator", "role", "Bruno", "maintainer").returncode == 0
    assert greenroom("moderator", "disable", "Bruno").returncode == 0
    people = [json.loads(line) for line in greenroom("moderator", "list", "--json").stdout.splitlines()]
    told = {one["name"]: (one["role"], one["state"], len(one["keys"])) for one in people}
    assert told == {"Carla": ("maintainer", "in", 1), "Bruno": ("maintainer", "out", 2)}
    assert greenroom("moderator", "enable", "Bruno").returncode == 0
    revoked = greenroom("key", "revoke", people[1]["keys"][0])
    assert revoked.returncode == 0, revoked.stderr


def test_the_last_maintainer_is_not_let_out(greenroom: Run) -> None:
    greenroom("moderator", "create", "--name", "Carla", "--role", "maintainer", "--json")
    refused = greenroom("moderator", "disable", "Carla")
    assert (refused.returncode, "is the last maintainer" in refused.stderr) == (2, True)
    assert greenroom("moderator", "disable", "Nobody").returncode == 2


def test_a_password_is_read_from_standard_input(greenroom: Run) -> None:
    greenroom("moderator", "create", "--name", "Bruno", "--json")
    assert greenroom("moderator", "password", "Bruno", stdin="four words of mine\n").returncode == 0
    refused = greenroom("moderator", "password", "Bruno", stdin="short\n")
    assert (refused.returncode, "12 to 256 characters" in refused.stderr) == (2, True)


def test_a_sites_keys_are_listed_made_and_revoked(greenroom: Run) -> None:
    site = json.loads(greenroom("site", "create", "--name", "B", "--json").stdout)["site_id"]
    assert len(greenroom("site", "new-key", site, "akismet").stdout.strip()) == 12
    keys = [json.loads(line) for line in greenroom("site", "keys", site, "--json").stdout.splitlines()]
    assert [key["kind"] for key in keys].count("site_akismet") == 2
    assert greenroom("key", "revoke", keys[0]["key_id"]).returncode == 0
    again = [json.loads(line) for line in greenroom("site", "keys", site, "--json").stdout.splitlines()]
    assert [key["revoked"] for key in again].count(True) == 1
    assert greenroom("site", "keys", "site_x").returncode == 2
