"""`greenroom up`: the whole service with one command, and one Ctrl-C that ends it."""

import click


@click.command("up")
def up_command() -> None:
    """Run everything on this machine: web, workers, sweeper and an embedded Redis. Ctrl-C stops it."""
    from workers.up import up

    up()
