"""`greenroom bench`: how fast this installation takes comments in and decides them."""

import http.client
import json
import statistics
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import click
from tqdm import tqdm

from moderation import demo
from workers.cli.start import refuse, refusing, settings_and_log

# Plain sentences put together anew for each comment, so that no two are repeats.
WORDS = ("bread", "rain", "garden", "lamp", "river", "train", "kettle", "winter", "music", "window")


@click.command("bench")
@click.option("--url", help="Where the service answers; default: PUBLIC_URL.")
@click.option("--key", help="A site's secret key; default: the demo site's.")
@click.option("--comments", default=500, show_default=True, type=click.IntRange(1, 100_000))
@click.option("--threads", default=8, show_default=True, type=click.IntRange(1, 64))
@refusing
def bench_command(url: str | None, key: str | None, comments: int, threads: int) -> None:
    """Post comments to a running service, wait for every decision, and print times and rates.

    The comments stay in the database: run it on an installation made for trying out.
    """
    settings = settings_and_log()
    keys = demo.read(settings)
    secret = key or (keys.secret_key if keys else refuse("there is no demo site here; give --key"))
    target = url or settings.public_url
    started = time.monotonic()
    with ThreadPoolExecutor(threads) as pool:
        calls = pool.map(lambda n: post(target, secret, n), range(comments))
        times = list(tqdm(calls, total=comments, unit=" comments", disable=not sys.stderr.isatty()))
    accepted = time.monotonic() - started
    _wait_until_decided(target, secret, times[-1][1])
    decided = time.monotonic() - started
    for line in report([seconds for seconds, _ in times], accepted, decided):
        click.echo(line)


def post(url: str, key: str, number: int) -> tuple[float, str]:
    """Hand in one comment; seconds it took and the comment's path."""
    body = {
        "thread": {"id": "bench"},
        "author": {"name": "Bench"},
        "body": " ".join(WORDS[(number // 10**place) % 10] for place in range(6)) + f" {number}.",
    }
    started = time.monotonic()
    status, answer = _call(url, "POST", "/api/v1/comments", key, body)
    if status != 202:
        raise ValueError(f"the service answered {status}: {answer.get('title', '')}")
    return time.monotonic() - started, answer["links"]["self"]


def report(times: list[float], accepted: float, decided: float) -> Iterator[str]:
    """The figures as lines of text."""
    milliseconds = sorted(1000 * seconds for seconds in times)
    p99 = milliseconds[min(len(milliseconds) - 1, int(0.99 * len(milliseconds)))]
    yield f"accepted {len(times) / accepted:8.0f} comments/s"
    yield f"decided  {len(times) / decided:8.0f} comments/s"
    yield f"accept   p50 {statistics.median(milliseconds):.1f} ms, p99 {p99:.1f} ms"


def _wait_until_decided(url: str, key: str, path: str, patience: float = 120.0) -> None:
    deadline = time.monotonic() + patience
    while _call(url, "GET", path, key, None)[1]["status"] == "pending":
        if time.monotonic() > deadline:
            raise ValueError("the comments are not decided yet; does a worker run?")
        time.sleep(0.02)


def _call(url: str, method: str, path: str, key: str, body: object) -> tuple[int, dict[str, Any]]:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=30)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    try:
        connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    except OSError as error:
        raise ValueError(f"{url} does not answer ({type(error).__name__})") from None
    finally:
        connection.close()
