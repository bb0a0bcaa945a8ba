"""`greenroom import --format`: a site's own history, as another system exported it."""

import json
from typing import IO, Any

import click
from tqdm import tqdm

from moderation.database import open_database
from moderation.exports.found import NotAnExport
from moderation.importing import KINDS, Report, import_history, note_import
from workers.cli.start import refuse, settings_and_log

SHOWN_PROBLEMS = 10
_WORDS = {
    "approved": "approved",
    "rejected": "rejected as spam",
    "pending": "to be decided",
    "already_there": "already there",
    "deleted": "deleted and left out",
    "no_comments": "no comments",
    "refused": "refused",
}


def import_comments(
    source: IO[bytes],
    *,
    site_id: str | None,
    kind: str,
    thread_id: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Import a file and tell in one line what became of its comments."""
    if site_id is None:
        refuse("--format needs --site SITE_ID; `greenroom site list` shows them")
    if kind == "isso" and source.name == "<stdin>":
        refuse("a database of Isso is read from its file, not from a pipe")
    database = open_database(settings_and_log().database_url)
    found: Any = tqdm(KINDS[kind].read(source), unit=" comments", disable=None)
    report, trouble = Report(), None
    try:
        import_history(database, site_id, KINDS[kind], found, report, thread_id=thread_id, dry_run=dry_run)
    except NotAnExport as error:
        trouble = str(error)
    finally:
        found.close()
    if not dry_run and any(report.figures().values()):
        note_import(database, site_id, kind, report)
    _tell(report, dry_run=dry_run, as_json=as_json)
    if trouble is not None:
        stays = "; what came before stays, and the whole file can be imported again"
        refuse(trouble if dry_run or not any(report.outcomes.values()) else trouble + stays)
    if report.refused and not any(report.outcomes.values()):
        refuse("no comment could be taken")


def _tell(report: Report, *, dry_run: bool, as_json: bool) -> None:
    for which, why in report.problems[:SHOWN_PROBLEMS]:
        click.echo(f"{which}: {why}", err=True)
    figures = report.figures()
    if as_json:
        problems = [{"which": which, "detail": why} for which, why in report.problems]
        click.echo(json.dumps({"dry_run": dry_run, **figures, "problems": problems}))
        return
    said = ", ".join(f"{count} {_WORDS[name]}" for name, count in figures.items())
    click.echo(f"would be: {said}" if dry_run else said)
