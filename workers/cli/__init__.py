"""The command line: `greenroom` and its commands."""

from importlib.metadata import version

import click

from workers.cli.classifier_commands import evaluate, score, train
from workers.cli.doctor_command import doctor_command
from workers.cli.label_commands import export_command, import_command
from workers.cli.model_commands import models_command, promote_command, retrain_command, rollback_command
from workers.cli.people_commands import moderator_group, site_group
from workers.cli.process_commands import migrate_command, sweep_command, web_command, worker_command
from workers.cli.up_command import up_command


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("greenroom"), prog_name="greenroom")
def main() -> None:
    """Self-hosted comment moderation: a queue, an own model and a learning loop."""


for command in (
    up_command,
    web_command,
    worker_command,
    sweep_command,
    migrate_command,
    site_group,
    moderator_group,
    score,
    train,
    evaluate,
    retrain_command,
    models_command,
    promote_command,
    rollback_command,
    import_command,
    export_command,
    doctor_command,
):
    main.add_command(command)
