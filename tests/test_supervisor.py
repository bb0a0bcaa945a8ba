"""`greenroom up` with small stand-ins for web and workers: real processes, real signals, nothing left."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from moderation.settings import load_settings
from workers.guardian import session_members
from workers.supervisor import describe_exit
from workers.up_banner import banner, curl, local_address

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for what is left in /proc"),
]

REPOSITORY = Path(__file__).parent.parent
# `up` itself, with stand-ins for the four processes; each writes its process number to a file.
STARTER = """
import json, os, sys
from workers import up
from workers.supervisor import Process

stand_ins = json.loads(sys.argv[1])
up._greenroom_processes = lambda: [Process(name, [sys.executable, "-c", code], stage)
                                   for name, code, stage in stand_ins]
if os.environ.get("DATABASE") == "no":
    up._prepare_database = lambda settings: None  # importing the database costs a second each time
up.up()
"""
IMPORTS = "import os, pathlib, signal, time\n"
WRITE_PID = "pathlib.Path(os.environ['PIDS'], '{}').write_text(str(os.getpid()))\n"
WEB = """
from http.server import BaseHTTPRequestHandler, HTTPServer

class Ready(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"status": "ok"}')
    def log_message(self, *words):
        pass

HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Ready).serve_forever()
"""
STUBBORN = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
# Like a job's own process: a grandchild in a group of its own.
FORK = "if os.fork() == 0: os.setpgrp(); time.sleep(600)\n"
NOTE_STOP = """
def note(*_):
    with open(os.environ["PIDS"] + "/stops", "a") as stops:
        stops.write("{}\\n")
    os._exit(0)
signal.signal(signal.SIGTERM, note)
"""
StandIn = tuple[str, str, int]
Found = TypeVar("Found")
WEB_STAND_IN: StandIn = ("web", IMPORTS + WEB, 0)


def sleeper(name: str, before: str = "", stage: int = 1) -> StandIn:
    """A process that does `before`, then says its number, then sleeps."""
    return (name, IMPORTS + before + WRITE_PID.format(name) + "time.sleep(600)", stage)


@dataclass
class Up:
    """A running `up` and what the test may ask about it."""

    home: Path
    port: int
    process: "subprocess.Popen[str]"

    def pid(self, name: str) -> int:
        return int(wait_for(lambda: (self.home / name).exists() and (self.home / name).read_text()))

    def errors(self) -> str:
        return (self.home / "errors").read_text()

    def is_ready(self) -> bool:
        return "Greenroom is ready" in (self.home / "output").read_text()

    def left_running(self) -> list[int]:
        return [pid for pid in everyone() if str(self.home).encode() in words_of(pid)]


def wait_for(look: Callable[[], Found], seconds: float = 15) -> Found:
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return found


def everyone() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def words_of(pid: int) -> bytes:
    """A process's command and environment: Redis overwrites the latter with its title."""
    found = b""
    for name in ("cmdline", "environ"):
        with contextlib.suppress(OSError):
            found += Path(f"/proc/{pid}/{name}").read_bytes()
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(home: Path, port: int) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("GREENROOM_")}
    up = {"GREENROOM_HOME": str(home), "PORT": str(port), "PIDS": str(home), "GREENROOM_DEMO": "false"}
    return {**ours, **up, "PYTHONPATH": str(REPOSITORY)}


@contextlib.contextmanager
def up(home: Path, *stand_ins: StandIn, **variables: str) -> Iterator[Up]:
    port = free_port()
    with (home / "output").open("w") as output, (home / "errors").open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", STARTER, json.dumps([WEB_STAND_IN, *stand_ins])],
            env={**environment(home, port), "DATABASE": "no", **variables},
            stdout=output,
            stderr=errors,
            text=True,
            # A suite run under nohup ignores SIGHUP, and so would the supervisor, as it should.
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
        )
    running = Up(home, port, process)
    try:
        yield running
    finally:
        process.kill()
        process.wait()
        wait_for(lambda: not running.left_running())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def test_it_says_where_everything_is_once_it_is_ready(home: Path) -> None:
    with up(home) as running:
        wait_for(running.is_ready)
        output = (home / "output").read_text()
    assert f"http://127.0.0.1:{running.port}/console" in output
    assert f"http://127.0.0.1:{running.port}/api/docs" in output
    assert str(home) in output


def test_it_starts_again_what_was_killed_and_says_so(home: Path) -> None:
    with up(home, sleeper("worker")) as running:
        first = running.pid("worker")
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: running.pid("worker") != first)
        assert "worker ended with signal SIGKILL; starting it again in 0.2 s" in running.errors()


def test_it_waits_longer_each_time_something_dies_at_once(home: Path) -> None:
    with up(home, ("broken", "raise SystemExit(3)", 1)) as running:
        wait_for(lambda: "broken ended with status 3; starting it again in 0.8 s" in running.errors())
        assert "again in 0.2 s" in running.errors()
        assert "again in 0.4 s" in running.errors()


def test_what_a_dead_process_left_is_gone_before_it_starts_again(home: Path) -> None:
    with up(home, sleeper("forker", FORK)) as running:
        leader = running.pid("forker")
        wait_for(lambda: len(session_members(leader)) == 2)
        os.kill(leader, signal.SIGKILL)
        wait_for(lambda: running.pid("forker") != leader)
        assert session_members(leader) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_clean_stop_leaves_nothing_and_exits_with_0(home: Path, number: signal.Signals) -> None:
    with up(home, sleeper("forker", FORK)) as running:
        wait_for(running.is_ready)
        assert len(running.left_running()) >= 5
        running.process.send_signal(number)
        assert running.process.wait(10) == 0
        assert running.left_running() == []


def test_web_is_stopped_first_and_redis_last(home: Path) -> None:
    worker = sleeper("worker", NOTE_STOP.format("worker"), stage=1)
    door = sleeper("door", NOTE_STOP.format("door"), stage=0)
    with up(home, worker, door) as running:
        running.pid("worker")
        running.pid("door")
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(10) == 0
    assert (home / "stops").read_text().split() == ["door", "worker"]
    assert "User requested shutdown" in (home / "redis" / "redis.log").read_text()


def test_a_second_ctrl_c_does_not_wait_for_the_stubborn(home: Path) -> None:
    with up(home, sleeper("stubborn", STUBBORN)) as running:
        wait_for(running.is_ready)
        running.pid("stubborn")
        running.process.send_signal(signal.SIGINT)
        wait_for(lambda: "Ctrl-C again to hurry" in running.errors())
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(5) == 0
        assert "stubborn did not stop in time; killing it" in running.errors()
        assert running.left_running() == []


def test_kill_9_of_the_supervisor_leaves_nothing_either(home: Path) -> None:
    with up(home, sleeper("forker", STUBBORN + FORK)) as running:
        wait_for(running.is_ready)
        wait_for(lambda: len(session_members(running.pid("forker"))) == 2)
        running.process.kill()
        running.process.wait()
        wait_for(lambda: not running.left_running(), seconds=8)


def test_kill_9_at_any_moment_of_the_start_leaves_nothing(home: Path) -> None:
    for moment in range(12):
        with up(home, sleeper("forker", FORK)) as running:
            # From before Redis is born until everything runs; the block's end looks for what is left.
            time.sleep(0.1 + moment * 0.03)
    assert running.left_running() == []


def test_a_new_start_after_kill_9_waits_until_the_old_one_is_cleared_away(home: Path) -> None:
    with up(home) as first:
        wait_for(first.is_ready)
        first.process.kill()
        first.process.wait()
        with up(home) as second:
            wait_for(second.is_ready)


def test_a_killed_guardian_is_replaced(home: Path) -> None:
    with up(home) as running:
        wait_for(running.is_ready)
        guardian = wait_for(lambda: guardian_of(running))
        os.kill(guardian, signal.SIGKILL)
        wait_for(lambda: guardian_of(running) not in {None, guardian})
        running.process.kill()
        running.process.wait()
        wait_for(lambda: not running.left_running(), seconds=8)


def guardian_of(running: Up) -> int | None:
    for pid in running.left_running():
        with contextlib.suppress(OSError):
            if b"guardian.py" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return pid
    return None


def test_a_taken_port_is_refused_in_one_line(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        taken = f"greenroom: 127.0.0.1 port {port}: is taken; stop what listens there, or set PORT\n"
        refuses(home, taken, PORT=port)


def test_a_second_up_on_the_same_home_is_refused_in_one_line(home: Path) -> None:
    with up(home) as running:
        wait_for(running.is_ready)
        holder = f"process {running.process.pid}"
        refuses(home, f"greenroom: greenroom up already runs on {home} ({holder}); stop it first\n")
        assert running.process.poll() is None


def test_a_bad_setting_is_refused_in_one_line(home: Path) -> None:
    line = "greenroom: GREENROOM_LOG_LEVEL must be one of debug, info, warning, error, not 'loud'\n"
    refuses(home, line, GREENROOM_LOG_LEVEL="loud")


def test_a_database_that_cannot_be_reached_is_refused_without_its_password(home: Path) -> None:
    url = "postgresql+psycopg://someone:swordfish@127.0.0.1:1/greenroom"
    result = attempt(home, GREENROOM_DATABASE_URL=url)
    assert result.returncode == 2
    assert "GREENROOM_DATABASE_URL: the database cannot be used" in result.stderr
    assert "swordfish" not in result.stderr


def test_the_database_is_brought_up_to_date_before_anything_uses_it(home: Path) -> None:
    look = "import sqlite3; tables = sqlite3.connect(os.environ['PIDS'] + '/greenroom.db').execute("
    look += "'SELECT name FROM sqlite_master').fetchall(); assert ('comments',) in tables\n"
    with up(home, sleeper("worker", look), DATABASE="yes") as running:
        assert running.pid("worker")
        assert "ended with" not in running.errors()


def test_a_misspelt_setting_does_not_pass_unseen(home: Path) -> None:
    with up(home, GREENROOM_HOMES="elsewhere") as running:
        wait_for(lambda: "GREENROOM_HOMES is not a setting" in running.errors())


def refuses(home: Path, line: str, **variables: str) -> None:
    result = attempt(home, **variables)
    assert (result.returncode, result.stderr) == (2, line)


def attempt(home: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", STARTER, "[]"],
        env={**environment(home, free_port()), **variables},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_exits_are_told_in_words() -> None:
    assert describe_exit(3) == "status 3"
    assert describe_exit(-9) == "signal SIGKILL"
    assert describe_exit(-99) == "signal 99"


def test_a_server_that_listens_everywhere_is_reached_at_home() -> None:
    assert local_address("0.0.0.0") == "127.0.0.1"
    assert local_address("::") == "::1"
    assert local_address("192.0.2.7") == "192.0.2.7"


def test_the_printed_curl_is_one_line_for_a_shell(tmp_path: Path) -> None:
    settings = load_settings({"GREENROOM_HOME": str(tmp_path), "GREENROOM_HOST": "::", "PORT": "81"})
    line = curl(settings, "the-key")
    assert line.startswith("curl -sS 'http://[::1]:81/api/v1/comments' -H 'Authorization: Bearer the-key'")
    assert "\n" not in line
    assert "site create" in banner(settings, None, 1.0)
