"""Labels as JSON Lines: import and export."""

from datetime import UTC, datetime
from typing import IO, Any

import click
from tqdm import tqdm

from moderation.database import open_database
from moderation.label_lines import take_lines, to_line
from moderation.services.labels import labelled_comments
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
@refusing
def import_command(source: IO[bytes]) -> None:
    """Read labels from JSON Lines: {"body" or "comment_id", "author"?, "thread"?, "labels"}."""
    database = open_database(settings_and_log().database_url)
    lines: Any = tqdm(source, unit=" lines", disable=None)
    result = take_lines(database, lines, datetime.now(UTC))
    for number, detail in result.problems[:10]:
        click.echo(f"line {number}: {detail}", err=True)
    click.echo(f"{result.taken} taken, {len(result.problems)} refused")
    if result.problems and not result.taken:
        refuse("no line could be taken")
