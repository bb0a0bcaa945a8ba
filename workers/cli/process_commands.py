"""The long-running processes and the migration: web, worker, sweep, migrate."""

import os
import shutil
import signal
import sys
import threading
from pathlib import Path

import click

from moderation.jobs import QUEUES
from workers.cli.start import refuse, refusing, settings_and_log, start_process

CONNECTIONS = 512


@click.command("web")
@refusing
def web_command() -> None:
    """Serve HTTP with gunicorn on HOST:PORT."""
    settings = settings_and_log()
    gunicorn = shutil.which("gunicorn", path=f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}")
    if gunicorn is None:
        refuse("gunicorn is not installed")
    # gunicorn with threads: proven, stops gracefully, replaces what dies and ends with its master. Granian
    # takes in a quarter more, but what it started outlives it (benchmarks/README.md).
    options = {
        "--bind": f"{settings.host}:{settings.port}",
        "--worker-class": "gthread",
        "--workers": str(settings.web_processes),
        "--threads": str(settings.web_threads),
        "--keep-alive": "5",
        # The connections one process serves or lets wait; more are left to the kernel, and so is what it
        # cannot keep, so that neither memory nor the time to an answer grows with a flood.
        "--worker-connections": str(CONNECTIONS),
        "--backlog": "512",
        "--timeout": "60",
        "--graceful-timeout": "8",
        "--log-level": "warning",
        "--logger-class": "moderation.web_log.OneShape",
        "--config": "python:moderation.web_start",
        # TRUSTED_PROXIES alone says whom to believe; by itself gunicorn would believe this machine.
        "--forwarded-allow-ips": "",
    }
    arguments = [part for pair in options.items() for part in pair]
    arguments += ["--preload", "--no-control-socket", "moderation.app:serve()"]
    os.execv(gunicorn, ["gunicorn", *arguments])  # noqa: S606 - no shell, fixed words


@click.command("worker")
@click.option(
    "--queue", "queues", multiple=True, type=click.Choice(QUEUES), help="Queue to work on; all by default."
)
@click.option("--burst", is_flag=True, help="Stop when there is nothing left to do.")
@refusing
def worker_command(queues: tuple[str, ...], burst: bool) -> None:
    """Run jobs: score comments, retrain the model. Each queue gets a process of its own."""
    start_process()
    names = tuple(dict.fromkeys(queues)) or QUEUES
    if len(names) > 1:
        from workers.side_by_side import run_side_by_side

        sys.exit(run_side_by_side(names, burst=burst))
    from workers.worker import run_worker

    run_worker(names[0], burst=burst)


@click.command("sweep")
@click.option("--once", is_flag=True, help="One round only.")
@refusing
def sweep_command(once: bool) -> None:
    """Find what Redis forgot and wake a worker for it."""
    from workers.process import open_process
    from workers.sweeper import sweep_forever, sweep_now

    process = open_process(start_process())
    if once:
        sweep_now(process)
        return
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    sweep_forever(process, stop)


@click.command("migrate")
@click.option("--to", "revision", default="head", show_default=True, help="Revision to end at.")
@click.option("--down", is_flag=True, help="Go back to the revision instead of up to it.")
@refusing
def migrate_command(revision: str, down: bool) -> None:
    """Bring the database's tables up to date."""
    from moderation import migrate

    url = settings_and_log().database_url
    if down and revision == "head":
        refuse("--down needs --to REVISION (`base` for none at all)")
    (migrate.downgrade if down else migrate.upgrade)(url, revision)
