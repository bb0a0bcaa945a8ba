"""Models: list, promote, roll back, retrain."""

import json
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime

import click
from sqlalchemy.orm import Session

from moderation.database import Database, open_database
from moderation.jobs import open_jobs
from moderation.models import RetrainingRun
from moderation.scoring import open_registry
from moderation.services.audit import ACTS, COMMAND_LINE, record
from moderation.services.retraining import RunStatus, get_run, request_run
from moderation.services.webhook_outbox import tell_promoted
from moderation.settings import Settings
from workers.cli.start import refuse, refusing, settings_and_log

POLL_SECONDS = 0.5


@click.command("models")
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines.")
@refusing
def models_command(as_json: bool) -> None:
    """List the model versions of this installation."""
    for info in open_registry(settings_and_log()).versions():
        if as_json:
            click.echo(json.dumps(asdict(info), default=str))
        else:
            mark = "*" if info.champion else " "
            click.echo(f"{mark} {info.version:<28} {info.created_at}  from {info.parent or 'public data'}")


@click.command("promote")
@click.argument("version")
@refusing
def promote_command(version: str) -> None:
    """Put a model version in force."""
    settings = settings_and_log()
    _tell_champion(settings, open_registry(settings).promote(version), "promotion")


@click.command("rollback")
@refusing
def rollback_command() -> None:
    """Return to the model that was in force before."""
    settings = settings_and_log()
    _tell_champion(settings, open_registry(settings).rollback(), "rollback")


@click.command("retrain")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait until the run has ended.")
@click.option("--site", "site_id", help="Learn from the labels of this site alone.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@refusing
def retrain_command(wait: bool, site_id: str | None, as_json: bool) -> None:
    """Make a better model from the labels: a worker trains it and promotes it if it is proven better."""
    settings = settings_and_log()
    database = open_database(settings.database_url)
    with database.write() as session:
        run_id = request_run(session, "command line", datetime.now(UTC), site_id).id
    if not open_jobs(settings.redis_url).enqueue_retraining(run_id):
        click.echo("Redis cannot be reached; the sweeper will start the run when it is back", err=True)
    run = _follow(database, run_id) if wait else _read(database, run_id)
    _tell(run, as_json)
    if run.status == RunStatus.FAILED:
        refuse(f"the run failed: {run.reason}")


def _tell_champion(settings: Settings, version: str, how: str) -> None:
    click.echo(f"champion: {version}")
    with open_database(settings.database_url).write() as session:
        record(session, COMMAND_LINE, ACTS[how], version, datetime.now(UTC))
        tell_promoted(session, version, how, datetime.now(UTC))


def _follow(database: Database, run_id: str) -> RetrainingRun:
    shown = None
    while True:
        run = _read(database, run_id)
        if run.status != shown and sys.stderr.isatty():
            click.echo(f"{run_id}: {run.status}", err=True)
        shown = run.status
        if run.finished_at is not None:
            return run
        time.sleep(POLL_SECONDS)


def _read(database: Database, run_id: str) -> RetrainingRun:
    session: Session
    with database.read() as session:
        return get_run(session, run_id)


def _tell(run: RetrainingRun, as_json: bool) -> None:
    facts = {
        "id": run.id,
        "status": run.status,
        "reason": run.reason,
        "label_count": run.label_count,
        "champion": run.champion,
        "challenger": run.challenger,
    }
    if as_json:
        click.echo(json.dumps({**facts, "metrics": run.metrics}))
    else:
        click.echo("\n".join(f"{name:<12} {value}" for name, value in facts.items() if value is not None))
