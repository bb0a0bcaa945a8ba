"""What every command does first, and how a command refuses: one line on stderr, exit status 2."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn, TypeVar, cast

import click
from sqlalchemy.exc import DBAPIError

from classifier.errors import ModelError
from moderation import logs, metrics
from moderation.database import Unavailable
from moderation.services.errors import ServiceError
from moderation.settings import Settings, SettingsError, load_settings

CANNOT = 2
Command = TypeVar("Command", bound=Callable[..., Any])


def refuse(message: str) -> NoReturn:
    """Say why in one line and leave with status 2."""
    click.echo(f"greenroom: {message}", err=True)
    sys.exit(CANNOT)


def refusing(command: Command) -> Command:
    """Let a command's expected errors end in one line instead of a stack trace."""

    @wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except (SettingsError, ServiceError, ModelError, ValueError) as error:
            refuse(str(error))
        except (Unavailable, DBAPIError) as error:
            refuse(f"the database cannot be used ({_first_line(error)}); has `greenroom migrate` run?")

    return cast(Command, guarded)


def _first_line(error: Unavailable | DBAPIError) -> str:
    """What the driver says, without the statement and the row."""
    cause = error.__cause__ if isinstance(error, Unavailable) else error
    return str(getattr(cause, "orig", None) or error).partition("\n")[0]


def settings_and_log() -> Settings:
    """The settings, with logging set up by them; raises SettingsError."""
    settings = load_settings()
    logs.set_up(settings)
    return settings


def start_process() -> Settings:
    """The settings for a process that stays: it counts, and may serve its figures; raises SettingsError."""
    settings = settings_and_log()
    metrics.start(settings.home)
    if settings.metrics_port:
        metrics.serve(settings.host, settings.metrics_port)
    return settings
