"""Labels as JSON Lines: import and export."""

import json
from datetime import UTC, datetime
from typing import IO, Any

import click
from tqdm import tqdm

from moderation.database import open_database
from moderation.importing import KINDS, THREAD_IDS
from moderation.label_lines import take_lines, to_line
from moderation.services.labels import labelled_comments
from workers.cli.history_import import import_comments
from workers.cli.start import refuse, refusing, settings_and_log


@click.command("export")
@click.argument("out", type=click.File("w", encoding="utf-8"), default="-")
@refusing
def export_command(out: IO[str]) -> None:
    """Write every label as JSON Lines, in the form `import` reads."""
    database = open_database(settings_and_log().database_url)
    with database.read() as session:
        # All read first: a slow reader of a pipe must not keep a transaction open.
        examples = list(labelled_comments(session))
    out.writelines(map(to_line, examples))


@click.command("import")
@click.argument("source", type=click.File("rb"), default="-")
@click.option("--site", "site_id", metavar="SITE_ID", help="Whose history it is; with --format.")
@click.option(
    "--format", "kind", type=click.Choice([*KINDS]), help="Read the comments of another system, not labels."
)
@click.option(
    "--thread-id",
    type=click.Choice(THREAD_IDS),
    help="What the blog's form sends as the id of a thread.  [default: url; id for jsonl]",
)
@click.option("--dry-run", is_flag=True, help="Tell what would be imported; with --format.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@refusing
def import_command(source: IO[bytes], as_json: bool, **history: Any) -> None:
    """Read labels (JSON Lines), or with --format a site's own history.

    A line of labels: {"body" or "comment_id", "author"?, "thread"?, "labels"}.

    With --site and --format: a site's own history, which another system exported. What was approved or spam
    there is so here and teaches; what waited there is scored and decided here; what was deleted is left out.
    """
    if history["kind"] is not None:
        import_comments(source, as_json=as_json, **history)
        return
    if any(history.values()):
        refuse("--site, --thread-id and --dry-run need --format")
    _import_labels(source, as_json)


def _import_labels(source: IO[bytes], as_json: bool) -> None:
    database = open_database(settings_and_log().database_url)
    lines: Any = tqdm(source, unit=" lines", disable=None)
    result = take_lines(database, lines, datetime.now(UTC))
    for number, detail in result.problems[:10]:
        click.echo(f"line {number}: {detail}", err=True)
    told = {"taken": result.taken, "refused": len(result.problems)}
    click.echo(json.dumps(told) if as_json else f"{result.taken} taken, {len(result.problems)} refused")
    if result.problems and not result.taken:
        refuse("no line could be taken")
