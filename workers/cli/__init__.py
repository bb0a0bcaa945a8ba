"""The command line: `greenroom` and its commands."""

import os
from importlib import import_module
from importlib.metadata import version

import click

# Where each command lives. A command's module is imported when it is called: scikit-learn alone takes a
# second, which `greenroom sweep` or `--help` must not pay for `greenroom train`.
COMMANDS = {
    "up": "up_command:up_command",
    "web": "process_commands:web_command",
    "worker": "process_commands:worker_command",
    "sweep": "process_commands:sweep_command",
    "migrate": "process_commands:migrate_command",
    "site": "key_commands:site_group",
    "moderator": "key_commands:moderator_group",
    "key": "key_commands:key_group",
    "webhook": "webhook_commands:webhook_group",
    "score": "score_command:score",
    "train": "classifier_commands:train",
    "evaluate": "classifier_commands:evaluate",
    "retrain": "model_commands:retrain_command",
    "models": "model_commands:models_command",
    "promote": "model_commands:promote_command",
    "rollback": "model_commands:rollback_command",
    "shadow": "shadow_command:shadow_command",
    "what-if": "what_if_command:what_if_command",
    "import": "label_commands:import_command",
    "export": "label_commands:export_command",
    "bench": "bench_command:bench_command",
    "doctor": "doctor_command:doctor_command",
}

# A process scores on one thread: several would fight over the same cores, and sums would differ with their
# number. It must be said before numpy is first imported.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
SCORING_COMMANDS = ("web", "worker", "score", "what-if")


class CommandsByName(click.Group):
    """A group that imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        if cmd_name in SCORING_COMMANDS:
            os.environ |= ONE_THREAD
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"workers.cli.{module}"), name)
        return command


@click.group(
    cls=CommandsByName, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(version("greenroom"), prog_name="greenroom")
def main() -> None:
    """Self-hosted comment moderation: a queue, an own model and a learning loop."""
