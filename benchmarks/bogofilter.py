"""Spam by this model and by bogofilter, both as whole processes on the same comments.

    python -m benchmarks.bogofilter [--data PATH] [--rounds N]

bogofilter (the package of most systems) learns from the train split's comments with a spam label, author and
address in the headers of a mail. Both then read the same comments of the dev split from a file and write a
line for each. Processes take turns; printed are medians, the range, and how well each tells spam from ham on
the development blogs.
"""

import argparse
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from classifier.dataset import Rows, read_rows
from classifier.facts import about, body_of

_SIZES = (1_000, 20_000)


def main() -> None:
    """Run and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/comments.parquet"))
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if shutil.which("bogofilter") is None:
        sys.exit("bogofilter is not installed (Debian and Ubuntu: apt-get install bogofilter)")
    with tempfile.TemporaryDirectory() as folder:
        learn(Path(folder), read_rows(options.data, "train"))
        dev = read_rows(options.data, "dev")
        print_quality(Path(folder), dev.take(~np.isnan(dev.labels[:, 0])))
        comments = list(dev.comments)
        for size in _SIZES:
            print_times(Path(folder), comments[:size], options.rounds)


def learn(folder: Path, rows: Rows) -> None:
    """Let bogofilter read the labelled comments."""
    for truth, option in ((1, "-s"), (0, "-n")):
        chosen = rows.take(rows.labels[:, 0] == truth)
        mailbox = write_mailbox(folder / f"{truth}.mbox", chosen.comments)
        subprocess.run(["bogofilter", "-d", folder, option, "-M", "-I", mailbox], check=True)


def write_mailbox(path: Path, comments: Sequence[Mapping[str, Any]]) -> Path:
    """Each comment as a mail from its author."""
    with path.open("w", encoding="utf-8", errors="replace") as file:
        for comment in comments:
            author = about(comment)
            body = re.sub("^From ", ">From ", body_of(comment).replace("\r", "\n"), flags=re.MULTILINE)
            sender = " ".join(f"{author.name} {author.addresses}".split())
            file.write(
                f"From a Mon Jan  1 00:00:00 2024\nFrom: {sender}\nContent-Type: text/plain\n\n{body}\n\n"
            )
    return path


def write_lines(path: Path, comments: Sequence[Mapping[str, Any]]) -> Path:
    """Each comment as a line for `greenroom score`."""
    path.write_text("".join(json.dumps(comment) + "\n" for comment in comments), encoding="utf-8")
    return path


def by_bogofilter(folder: Path, mailbox: Path) -> list[str]:
    """Its answers, a line each: verdict and spamicity."""
    command = ["bogofilter", "-d", str(folder), "-M", "-T", "-I", str(mailbox)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.splitlines()


def by_greenroom(lines: Path) -> list[str]:
    """Our answers, a line each."""
    with lines.open("rb") as file:
        command = [sys.executable, "-m", "workers.cli", "score"]
        return (
            subprocess.run(command, stdin=file, capture_output=True, check=True).stdout.decode().splitlines()
        )


def print_quality(folder: Path, rows: Rows) -> None:
    """The area under the curve, and the share of spam found at 1 % false alarms."""
    truth = rows.labels[:, 0]
    bogus = by_bogofilter(folder, write_mailbox(folder / "dev.mbox", rows.comments))
    ours = by_greenroom(write_lines(folder / "dev.jsonl", rows.comments))
    found = {
        "bogofilter": np.array([float(line.split()[1]) for line in bogus]),
        "ours": np.array([json.loads(line)["scores"]["spam"] for line in ours]),
    }
    for name, scores in found.items():
        threshold = np.quantile(scores[truth == 0], 0.99)
        recall = (scores[truth == 1] > threshold).mean()
        print(f"{name:<12} AUC {roc_auc_score(truth, scores):.3f}, {recall:.1%} found at 1 % false alarms")


def print_times(folder: Path, comments: Sequence[Mapping[str, Any]], rounds: int) -> None:
    """Seconds of each whole process."""
    mailbox = write_mailbox(folder / "timed.mbox", comments)
    lines = write_lines(folder / "timed.jsonl", comments)
    contestants: dict[str, Callable[[], list[str]]] = {
        "bogofilter": lambda: by_bogofilter(folder, mailbox),
        "ours": lambda: by_greenroom(lines),
    }
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            started = time.perf_counter()
            answers = run()
            times[name].append(time.perf_counter() - started)
            if len(answers) < len(comments):
                sys.exit(f"{name} answered {len(answers)} of {len(comments)}")
    for name, taken in times.items():
        median, spread = statistics.median(taken), f"{min(taken):.2f}-{max(taken):.2f}"
        each = median / len(comments) * 1e6
        print(f"{len(comments):>6} comments  {name:<12} {median:.2f} s ({spread}), {each:.0f} us each")


if __name__ == "__main__":
    main()
