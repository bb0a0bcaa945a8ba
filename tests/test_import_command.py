"""`greenroom import --site SITE_ID --format FORMAT`, as people call it, on both stores"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from moderation.database import Database
from moderation.exports.found import Fate
from moderation.importing import KINDS, THREAD_IDS
from moderation.models import Comment, Decision, Label, Submission
from moderation.services.access import NewSite
from moderation.services.audit import latest_acts
from tests.conftest import SECRET
from tests.exports.written import a_comment, comment_lines, disqus, isso, wordpress

Done = subprocess.CompletedProcess[str]
Import = Callable[..., Done]
NOTHING = {"approved": 0, "rejected": 0, "pending": 0, "already_there": 0} | {
    "deleted": 0,
    "no_comments": 0,
    "refused": 0,
}
HALF, WHOLE = 1_200, 3_000


@pytest.fixture
def environ(database_url: str, tmp_path: Path) -> dict[str, str]:
    """What the command is to know of this test's installation."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("GREENROOM_")}
    return others | {
        "GREENROOM_HOME": str(tmp_path / "home"),
        "GREENROOM_SECRET_KEY": SECRET,
        "GREENROOM_DATABASE_URL": database_url,
    }


@pytest.fixture
def imported(environ: dict[str, str], alma: NewSite, tmp_path: Path) -> Import:
    """Import a file with this content into Alma's site."""

    def run(kind: str, content: str | bytes | Path, *words: str) -> Done:
        path = content if isinstance(content, Path) else tmp_path / "export"
        if not isinstance(content, Path):
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        command = [sys.executable, "-m", "workers.cli", "import", "--site", alma.site_id, "--format", kind]
        return subprocess.run(
            [*command, *words, str(path)], env=environ, capture_output=True, text=True, timeout=300
        )

    return run


def count(database: Database, table: type) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_history_is_imported_and_told_in_one_line(
    imported: Import, database: Database, alma: NewSite
) -> None:
    comments = [a_comment(1), a_comment(2, Fate.SPAM), a_comment(3, Fate.PENDING), a_comment(4, Fate.DELETED)]
    done = imported(
        "wordpress", wordpress([*comments, a_comment(5, body=" "), a_comment(6, type="pingback")])
    )
    assert (done.returncode, done.stdout) == (
        0,
        "1 approved, 1 rejected as spam, 1 to be decided, 0 already there, 1 deleted and left out, "
        "1 no comments, 1 refused\n",
    )
    # Without a terminal there is no progress to be seen.
    assert done.stderr == "comment 5: its text: Length must be between 1 and 20000.\n"
    with database.read() as session:
        (act,) = latest_acts(session, subject=alma.site_id)
    assert (act.actor, act.act, act.details["approved"]) == ("command line", "history imported", 1)


@pytest.mark.parametrize(
    ("kind", "content"),
    [("disqus", disqus([a_comment(1)])), ("jsonl", comment_lines([a_comment(1)]))],
)
def test_it_is_told_as_json_and_the_second_time_everything_is_there(
    imported: Import, database: Database, kind: str, content: str
) -> None:
    told = [json.loads(imported(kind, content, "--json").stdout) for _ in range(2)]
    assert told == [
        NOTHING | {"dry_run": False, "problems": [], "approved": 1},
        NOTHING | {"dry_run": False, "problems": [], "already_there": 1},
    ]
    assert count(database, Comment) == count(database, Decision) == 1


def test_a_dry_run_tells_and_writes_nothing(imported: Import, database: Database, tmp_path: Path) -> None:
    path = isso([a_comment(1), a_comment(2, Fate.PENDING)], tmp_path / "comments.db")
    done = imported("isso", path, "--dry-run")
    assert (done.returncode, done.stdout.startswith("would be: 1 approved, ")) == (0, True)
    assert count(database, Comment) == 0
    assert imported("isso", path).stdout.startswith("1 approved, 0 rejected as spam, 1 to be decided")


BOMB = '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><rss>&b;</rss>'


@pytest.mark.parametrize(
    ("kind", "content", "why"),
    [
        ("wordpress", BOMB, "line 1, column 36: a DOCTYPE, which no export has"),
        ("wordpress", "", "line 1, column 1: no element found"),
        ("wordpress", disqus([]), "line 2, column 1: it does not begin as one"),
        ("disqus", wordpress([]), "line 3, column 1: it does not begin as one"),
        ("disqus", "{}", "line 1, column 1: not well-formed (invalid token)"),
        ("isso", "no database" * 100, "file is not a database"),
        ("jsonl", wordpress([a_comment(1)]), "no comment could be taken"),
        ("jsonl", b"\xff\xfe", "no comment could be taken"),
    ],
)
def test_a_file_that_is_not_what_it_is_said_to_be_is_refused_in_one_line(
    imported: Import, database: Database, kind: str, content: str | bytes, why: str
) -> None:
    refused = imported(kind, content)
    assert refused.returncode == 2
    last = refused.stderr.splitlines()[-1]
    assert last.startswith("greenroom: ")
    assert why in last
    assert count(database, Comment) == 0


def test_what_can_be_read_of_a_file_that_was_cut_is_kept(imported: Import, database: Database) -> None:
    whole = wordpress([a_comment(n) for n in range(1, 10)])
    cut = imported("wordpress", whole[: whole.index("Comment number 8")])
    assert (cut.returncode, cut.stdout.startswith("7 approved")) == (2, True)
    assert "unclosed CDATA section; what came before stays" in cut.stderr
    assert imported("wordpress", whole).stdout.startswith("2 approved, 0 rejected as spam")


def test_the_wrong_words_are_refused(environ: dict[str, str], alma: NewSite, tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_text(comment_lines([a_comment(1)]))

    def refused(*words: str, stdin: str = "") -> str:
        command = [sys.executable, "-m", "workers.cli", "import", *words]
        done = subprocess.run(command, env=environ, input=stdin, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout) == (2, "")
        return done.stderr

    assert "no such site" in refused("--site", "site_x", "--format", "jsonl", str(path))
    assert "--format needs --site" in refused("--format", "jsonl", str(path))
    assert "need --format" in refused("--site", alma.site_id, str(path))
    assert "need --format" in refused("--dry-run", str(path))
    assert "not from a pipe" in refused("--site", alma.site_id, "--format", "isso")


def test_an_import_that_is_killed_is_completed_by_the_next(
    imported: Import, environ: dict[str, str], database: Database, alma: NewSite
) -> None:
    comments = [a_comment(n, parent=str(n // 2)) for n in range(1, WHOLE + 1)]
    whole = wordpress(comments)
    command = [sys.executable, "-m", "workers.cli", "import", "--site", alma.site_id, "--format", "wordpress"]
    with subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as running:
        assert running.stdin is not None
        running.stdin.write(whole[: whole.index(f"Comment number {HALF} ")].encode())
        running.stdin.flush()
        until = time.monotonic() + 60
        while count(database, Comment) < 500 and time.monotonic() < until:
            time.sleep(0.02)
        running.send_signal(signal.SIGKILL)
        assert running.wait(10) == -signal.SIGKILL
    stored = count(database, Comment)
    assert 500 <= stored < WHOLE
    # Whole pieces only: no comment without its decision.
    assert stored == count(database, Decision)
    done = imported("wordpress", whole)
    assert done.stdout.startswith(
        f"{WHOLE - stored} approved, 0 rejected as spam, 0 to be decided, {stored} already"
    )
    assert count(database, Comment) == count(database, Submission) == count(database, Decision) == WHOLE
    assert count(database, Label) == 2 * WHOLE
    with database.read() as session:
        tops = session.scalar(select(func.count()).where(Comment.parent_id.is_(None)))
    assert tops == 1


MEASURED = """
import sys
from pathlib import Path
from workers.cli import main
main(sys.argv[1:], standalone_mode=False)
# Of this program alone; what getrusage tells includes the process that started it.
print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""


@pytest.mark.parametrize("store", ["sqlite"])
def test_memory_does_not_grow_with_the_file(
    environ: dict[str, str], database: Database, alma: NewSite, tmp_path: Path
) -> None:
    def peak(comments: Iterator[dict[str, object]], site_id: str) -> int:
        """Of importing these, in kilobytes."""
        path = tmp_path / "export.xml"
        path.write_text(wordpress(comments))
        words = ["import", "--site", site_id, "--format", "wordpress", str(path)]
        command = [sys.executable, "-c", MEASURED, *words]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=300, check=True)
        return int(done.stdout.splitlines()[-1])

    long = "Some more words for a longer text. " * 100
    few = peak((a_comment(n, body=f"{n} {long}") for n in range(1, 1_001)), alma.site_id)
    many = peak((a_comment(n, body=f"{n} {long}") for n in range(1_001, 11_001)), alma.site_id)
    assert count(database, Comment) == 11_000
    # The file is 40 MB.
    assert many - few < 10_000


@pytest.mark.parametrize("store", ["sqlite"])
def test_the_lines_that_the_document_shows_are_taken(imported: Import) -> None:
    document = (Path(__file__).parent.parent / "docs" / "importing.md").read_text()
    (lines,) = re.findall(r"^```json\n(.*?)^```", document, re.MULTILINE | re.DOTALL)
    assert imported("jsonl", lines).stdout.startswith("1 approved, 1 rejected as spam, 0 to be decided")


def test_the_document_names_every_format_and_every_way_to_name_a_thread() -> None:
    document = (Path(__file__).parent.parent / "docs" / "importing.md").read_text()
    assert [kind for kind in KINDS if f"| `{kind}` |" not in document] == []
    assert [
        way for way in THREAD_IDS if f"`{way}`" not in document and f"`--thread-id {way}`" not in document
    ] == []
