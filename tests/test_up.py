"""`greenroom up` as its owner meets it: all real processes, the printed command, one Ctrl-C."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.processes

REPOSITORY = Path(__file__).parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def started(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("GREENROOM_")}
    with subprocess.Popen(
        [sys.executable, "-m", "workers.cli", "up"],
        cwd=REPOSITORY,
        env={**ours, "GREENROOM_HOME": str(tmp_path / "var"), "PORT": str(free_port())},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def banner_of(process: "subprocess.Popen[str]") -> str:
    """Everything printed up to and with the command to try."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("  curl "):
            return "".join(lines)
    raise AssertionError(f"it ended before it was ready: {''.join(lines)}")


def request_of(curl: str) -> urllib.request.Request:
    words = shlex.split(curl)
    headers = dict(words[i + 1].split(": ", 1) for i, word in enumerate(words) if word == "-H")
    body = words[words.index("-d") + 1].encode()
    return urllib.request.Request(words[2], data=body, headers=headers)


def test_the_printed_command_posts_a_comment_and_ctrl_c_ends_everything(
    started: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    banner = banner_of(started)
    with urllib.request.urlopen(request_of(banner.splitlines()[-1]), timeout=30) as answer:
        comment = json.load(answer)
    assert comment["status"] in {"approved", "held", "rejected"}
    for name in ("blog demo", "console", "API docs"):
        address = re.search(rf"{name} +(http\S+)", banner)
        assert address is not None
        with urllib.request.urlopen(address[1], timeout=30) as page:
            assert page.status == 200
    started.send_signal(signal.SIGINT)
    assert started.wait(20) == 0
    assert not (tmp_path / "var" / "redis.sock").exists()
