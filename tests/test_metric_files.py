"""Figures of many real processes in one folder: nothing is lost or counted twice, whoever dies when."""

import json
import os
import resource
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from moderation import metric_files

REPOSITORY = Path(__file__).parent.parent
ACCEPTED = 'greenroom_submissions_accepted_total{kind="comment"}'
BEGIN = """
import os, signal, sys, time
from pathlib import Path
from moderation import metrics
metrics.start(Path(os.environ["GREENROOM_HOME"]))
"""
COUNT = (
    "for _ in range({}): metrics.add(metrics.ACCEPTED, 'comment'); metrics.observe(metrics.SCORING, 0.02)\n"
)
DIE = "os.kill(os.getpid(), signal.SIGKILL)\n"
STAY = "print('counted', flush=True); sys.stdin.readline()\n"
SHOW = """
from prometheus_client import CollectorRegistry, generate_latest
registry = CollectorRegistry()
registry.register(metrics.Figures())
print(generate_latest(registry).decode())
"""


def command(code: str) -> list[str]:
    return [sys.executable, "-c", BEGIN + code]


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "GREENROOM_HOME": str(home), "PYTHONPATH": str(REPOSITORY)}


def run(home: Path, code: str) -> str:
    """A process from its first to its last breath; gives what it printed."""
    done = subprocess.run(command(code), env=environment(home), capture_output=True, text=True)
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr
    return done.stdout


@contextmanager
def staying(home: Path, code: str) -> Iterator["subprocess.Popen[str]"]:
    """A process that has done `code` and lives on to the end of the block."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command(code + STAY), env=environment(home), text=True, **pipes) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "counted\n"
        yield process
        process.kill()


def figures(home: Path) -> dict[str, float]:
    """What a process that counted nothing itself sees."""
    lines = [line for line in run(home, SHOW).splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_one_process_tells_what_others_counted(tmp_path: Path) -> None:
    with staying(tmp_path, COUNT.format(3)), staying(tmp_path, COUNT.format(4)):
        found = figures(tmp_path)
    assert found[ACCEPTED] == 7
    assert found['greenroom_scoring_seconds_bucket{le="0.025"}'] == 7
    assert found['greenroom_scoring_seconds_bucket{le="0.01"}'] == 0
    assert found["greenroom_scoring_seconds_sum"] == pytest.approx(0.14)


def test_a_counter_never_goes_down_when_processes_are_killed(tmp_path: Path) -> None:
    seen = []
    with staying(tmp_path, COUNT.format(1)):
        for _ in range(4):
            run(tmp_path, COUNT.format(5) + DIE)
            seen.append(figures(tmp_path))
    assert [one[ACCEPTED] for one in seen] == [6, 11, 16, 21]
    assert [one["greenroom_scoring_seconds_count"] for one in seen] == [6, 11, 16, 21]


def test_files_of_the_dead_do_not_accumulate(tmp_path: Path) -> None:
    for _ in range(5):
        run(tmp_path, COUNT.format(1) + DIE)
    run(tmp_path, "")
    names = {path.name for path in (tmp_path / "metrics").glob("*.db")}
    # Those of the last process, and one of each kind for all the dead before it.
    assert len(names) == 4
    assert sum(name.partition("_")[2].startswith("ended-") for name in names) == 2


def test_a_forked_child_counts_for_itself_and_is_kept_after_its_end(tmp_path: Path) -> None:
    fork = "if os.fork() == 0:\n    " + COUNT.format(2) + "    os._exit(0)\nos.wait()\n"
    with staying(tmp_path, COUNT.format(1) + fork + COUNT.format(1)):
        assert figures(tmp_path)[ACCEPTED] == 4
    assert figures(tmp_path)[ACCEPTED] == 4


def test_many_threads_and_processes_at_once_lose_nothing(tmp_path: Path) -> None:
    threads = textwrap.dedent("""
        from concurrent.futures import ThreadPoolExecutor
        def count(_):
            for _ in range(200):
                metrics.add(metrics.ACCEPTED, "comment")
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(count, range(4)))
    """)
    running = [subprocess.Popen(command(threads + DIE), env=environment(tmp_path)) for _ in range(4)]
    for process in running:
        process.wait()
    assert figures(tmp_path)[ACCEPTED] == 4 * 4 * 200


@pytest.mark.parametrize("step", ["before the rename", "after the rename"])
def test_a_merge_that_is_cut_off_counts_nothing_twice(
    tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path, COUNT.format(5) + DIE)
    run(tmp_path, COUNT.format(6) + DIE)

    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(metric_files, "_point" if step == "before the rename" else "_delete", cut_off)
    with pytest.raises(KeyboardInterrupt):
        metric_files.begin(tmp_path / "metrics")
    assert figures(tmp_path)[ACCEPTED] == 11
    assert figures(tmp_path)[ACCEPTED] == 11


def test_a_file_that_a_crash_of_the_machine_spoilt_is_left_out(tmp_path: Path) -> None:
    run(tmp_path, COUNT.format(5) + DIE)
    with staying(tmp_path, COUNT.format(2)):
        spoilt = tmp_path / "metrics" / "counter_0123456789abcdef.db"
        spoilt.write_bytes(b"\xff\x00\x00\x00" + os.urandom(300))
        (tmp_path / "metrics" / "histogram_0123456789abcdef.db").write_bytes(b"")
        assert figures(tmp_path)[ACCEPTED] == 7
        assert figures(tmp_path)[ACCEPTED] == 7


def test_without_room_for_the_files_a_process_counts_in_its_memory(tmp_path: Path) -> None:
    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    done = subprocess.run(
        command(COUNT.format(3) + SHOW),
        env=environment(tmp_path),
        preexec_fn=no_room,
        capture_output=True,
        text=True,
    )
    assert f"{ACCEPTED} 3.0" in done.stdout, done.stderr
    assert not list((tmp_path / "metrics").glob("*_*.db"))


def test_a_forked_child_without_room_goes_on_uncounted(tmp_path: Path) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))"
    child = f"if os.fork() == 0:\n    {limit}\n    {COUNT.format(2)}    os._exit(7)\n"
    ended = "print(os.waitstatus_to_exitcode(os.wait()[1]))\n"
    assert run(tmp_path, COUNT.format(1) + child + ended).strip() == "7"
    assert figures(tmp_path)[ACCEPTED] == 1


def test_a_process_that_stands_still_in_its_turn_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metric_files, "TURN_SECONDS", 0.1)
    run(tmp_path, "")
    with metric_files.files_to_read(tmp_path / "metrics"), pytest.raises(TimeoutError):
        metric_files.begin(tmp_path / "metrics")


def test_a_pointer_that_cannot_be_read_is_as_none(tmp_path: Path) -> None:
    run(tmp_path, COUNT.format(1) + DIE)
    run(tmp_path, "")
    pointer = tmp_path / "metrics" / "ended.json"
    assert json.loads(pointer.read_text())["generation"] == 1
    pointer.write_text("{")
    assert ACCEPTED in figures(tmp_path)
