"""`greenroom shadow`: let a model version score what comes without deciding, and see how it differs."""

import json
from dataclasses import asdict
from datetime import UTC, datetime

import click
from sqlalchemy.orm import Session

from moderation.database import open_database
from moderation.models import Shadow
from moderation.scoring import open_scorer
from moderation.services.audit import COMMAND_LINE
from moderation.services.errors import NotFound, ShadowRefused
from moderation.services.shadows import Comparison, begin_shadow, compare, end_shadow, last_shadow
from moderation.settings import Settings
from workers.cli.start import refusing, settings_and_log


@click.command("shadow")
@click.argument("version", required=False)
@click.option("--end", is_flag=True, help="End the one that is on.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@refusing
def shadow_command(version: str | None, end: bool, as_json: bool) -> None:
    """Let VERSION score what comes too, deciding nothing; without it, tell what the last one shows."""
    settings = settings_and_log()
    database = open_database(settings.database_url)
    try:
        if version is not None:
            _check(settings, version)
        with database.write() as session:
            shadow = _begun_or_ended(session, version, end)
            _tell(shadow, compare(session, shadow), as_json)
    finally:
        database.engine.dispose()


def _check(settings: Settings, version: str) -> None:
    """Raises ModelError if it cannot be loaded, ShadowRefused if it decides already."""
    scorer = open_scorer(settings)
    scorer.of_version(version)
    if scorer.registry.champion() == version:
        raise ShadowRefused("it is in force")


def _begun_or_ended(session: Session, version: str | None, end: bool) -> Shadow:
    now = datetime.now(UTC)
    if version is not None:
        return begin_shadow(session, version, COMMAND_LINE, now)
    shadow = last_shadow(session)
    if shadow is None or (end and not end_shadow(session, shadow, COMMAND_LINE, "by hand", now)):
        raise NotFound("shadow")
    session.refresh(shadow)
    return shadow


def _tell(shadow: Shadow, found: Comparison, as_json: bool) -> None:
    facts = {
        "model_version": shadow.model_version,
        "begun_at": shadow.begun_at.isoformat(),
        "ended_at": shadow.ended_at.isoformat() if shadow.ended_at else None,
        "ended_because": shadow.ended_because,
    }
    if as_json:
        click.echo(json.dumps({**facts, "comparison": asdict(found)}))
        return
    lines = [f"{name:<14} {value}" for name, value in facts.items() if value is not None]
    lines.append(f"{'comments':<14} {found.comments}, of which {found.differing} would have fared otherwise")
    lines += [f"{'':<14} {change}: {count}" for change, count in found.changes.items()]
    lines += [
        f"{one.category:<16} {one.mean:+.4f} on average, {one.absolute:.4f} off" for one in found.categories
    ]
    click.echo("\n".join(lines))
