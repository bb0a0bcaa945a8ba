"""Moderators and keys afterwards: list, let out and in, roles, new keys, passwords, revocation."""

import json
import sys
from datetime import UTC, datetime
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from moderation.models import KeyKind, Moderator, Role
from moderation.passwords import hashed
from moderation.services.audit import COMMAND_LINE
from moderation.services.errors import NotFound
from moderation.services.people import (
    change_role,
    disable,
    enable,
    keep_password,
    list_people,
    new_moderator_key,
    new_site_key,
    revoke_key,
    site_keys,
)
from workers.cli.people_commands import moderator_group, site_group, transaction
from workers.cli.start import refusing, settings_and_log

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON Lines.")


@click.group("key")
def key_group() -> None:
    """Keys of sites and moderators."""


@moderator_group.command("list")
@AS_JSON
@refusing
def moderator_list(as_json: bool) -> None:
    """Everybody with their role and keys; a key is named by a part of its digest."""
    with transaction(settings_and_log()) as session:
        for person in list_people(session):
            one = person.moderator
            keys = [key.key_id for key in person.keys if key.revoked_at is None]
            state = "out" if one.disabled_at else "in"
            row = {"moderator_id": one.id, "name": one.name, "role": one.role, "state": state, "keys": keys}
            click.echo(json.dumps(row) if as_json else f"{one.name}  {one.role}  {state}  {' '.join(keys)}")


@moderator_group.command("role")
@click.argument("name")
@click.argument("role", type=click.Choice([role.value for role in Role]))
@refusing
def moderator_role(name: str, role: str) -> None:
    """Change what somebody may do."""
    with transaction(settings_and_log()) as session:
        change_role(session, _id(session, name), Role(role), COMMAND_LINE, datetime.now(UTC))


@moderator_group.command("disable")
@click.argument("name")
@refusing
def moderator_disable(name: str) -> None:
    """Let somebody out at once."""
    with transaction(settings_and_log()) as session:
        disable(session, _id(session, name), COMMAND_LINE, datetime.now(UTC))


@moderator_group.command("enable")
@click.argument("name")
@refusing
def moderator_enable(name: str) -> None:
    """Let somebody in again."""
    with transaction(settings_and_log()) as session:
        enable(session, _id(session, name), COMMAND_LINE, datetime.now(UTC))


@moderator_group.command("new-key")
@click.argument("name")
@refusing
def moderator_new_key(name: str) -> None:
    """Print another key for somebody, shown this once."""
    settings = settings_and_log()
    with transaction(settings) as session:
        moderator_id, now = _id(session, name), datetime.now(UTC)
        click.echo(
            new_moderator_key(session, moderator_id, COMMAND_LINE, secret=settings.secret_key, now=now)
        )


@moderator_group.command("password")
@click.argument("name")
@refusing
def moderator_password(name: str) -> None:
    """Set somebody's password for the console; asked for, or read from standard input."""
    # Not from the command line, which every process of the machine can read.
    if sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    with transaction(settings_and_log()) as session:
        keep_password(session, _id(session, name), hashed(password, name), datetime.now(UTC))


@site_group.command("keys")
@click.argument("site_id")
@AS_JSON
@refusing
def site_keys_command(site_id: str, as_json: bool) -> None:
    """A site's keys, each named by a part of its digest."""
    with transaction(settings_and_log()) as session:
        for key in site_keys(session, site_id):
            row: dict[str, Any] = {
                "key_id": key.key_id,
                "kind": key.kind,
                "revoked": key.revoked_at is not None,
            }
            state = "revoked" if key.revoked_at else "good"
            click.echo(json.dumps(row) if as_json else f"{key.key_id}  {key.kind}  {state}")


@site_group.command("new-key")
@click.argument("site_id")
@click.argument("kind", type=click.Choice(["secret", "public", "akismet"]))
@refusing
def site_new_key(site_id: str, kind: str) -> None:
    """Print another key of a site, shown this once; the old one stays good until it is revoked."""
    settings = settings_and_log()
    with transaction(settings) as session:
        made = KeyKind(f"site_{kind}")
        key = new_site_key(
            session, site_id, made, COMMAND_LINE, secret=settings.secret_key, now=datetime.now(UTC)
        )
        click.echo(key)


@key_group.command("revoke")
@click.argument("key_id")
@refusing
def key_revoke(key_id: str) -> None:
    """Take a key away for good, by the id that the lists show."""
    with transaction(settings_and_log()) as session:
        revoke_key(session, key_id, COMMAND_LINE, datetime.now(UTC))


def _id(session: Session, name: str) -> str:
    moderator_id = session.scalar(select(Moderator.id).where(Moderator.name == name))
    if moderator_id is None:
        raise NotFound(f"moderator {name!r}")
    return moderator_id
