"""Sites and moderators: make, list, change a site's policy."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import click
from sqlalchemy.orm import Session

from moderation.database import open_database
from moderation.domain.policy import CATEGORIES, Mode
from moderation.models import Role
from moderation.services.access import create_moderator, create_site, list_sites
from moderation.services.policies import HIGHEST_PROMISE, change_policy, current_policies
from moderation.services.recall import LONGEST_DAYS
from moderation.services.shared_secrets import CORAL, keep_secret
from moderation.settings import Settings
from workers.cli.start import refusing, settings_and_log

NAME_LENGTH = 200


@click.group("site")
def site_group() -> None:
    """Sites: the blogs that hand in comments."""


@click.group("moderator")
def moderator_group() -> None:
    """Moderators: the people who decide."""


@site_group.command("create")
@click.option("--name", required=True, help="What people call the site.")
@click.option("--origin", "origins", multiple=True, help="Origin whose pages may use the public key.")
@click.option(
    "--mode", type=click.Choice([m.value for m in Mode]), default=Mode.AUTOMATIC.value, show_default=True
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@refusing
def site_create(name: str, origins: tuple[str, ...], mode: str, as_json: bool) -> None:
    """Make a site and print its keys, which are shown this once."""
    settings = settings_and_log()
    checked = [_origin(origin) for origin in origins]
    with transaction(settings) as session:
        site = create_site(
            session, _name(name), checked, {"mode": mode}, secret=settings.secret_key, now=datetime.now(UTC)
        )
    _print(asdict(site), as_json)


@site_group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines.")
@refusing
def site_list(as_json: bool) -> None:
    """Every site and the policy in force."""
    with transaction(settings_and_log()) as session:
        sites = list_sites(session)
        policies = current_policies(session, {site.id for site in sites})
        for site in sites:
            policy = policies[site.id]
            row = {"site_id": site.id, "name": site.name, "mode": policy.mode, "policy": policy.version}
            click.echo(json.dumps(row) if as_json else "  ".join(str(value) for value in row.values()))


@site_group.command("policy")
@click.argument("site_id")
@click.option("--mode", type=click.Choice([m.value for m in Mode]))
@click.option("--link-limit", type=click.IntRange(0), help="Links a comment may have before a person looks.")
@click.option(
    "--report-limit", type=click.IntRange(0), help="Readers' reports that ask for a person; 0: none."
)
@click.option("--repeat-limit", type=click.IntRange(0), help="Times a text may come again within a day.")
@click.option("--close-after-days", type=click.IntRange(0), help="Age at which threads close; 0 for never.")
@click.option(
    "--blocked-word", "blocked_words", multiple=True, help="Word that needs a look; replaces the list."
)
@click.option(
    "--threshold",
    "thresholds",
    multiple=True,
    metavar="CATEGORY:HOLD[:REJECT]",
    help="Scores from which a person looks, and from which the comment is rejected.",
)
@click.option(
    "--trust-roles/--distrust-roles",
    default=None,
    help="Whether the Akismet door believes that an administrator wrote a comment; it does at first.",
)
@click.option(
    "--toxic-is-spam/--toxic-is-not-spam",
    default=None,
    help="Whether the Akismet door calls toxic comments spam; not at first.",
)
@click.option(
    "--queue-spam-checks/--no-queue-spam-checks",
    default=None,
    help="Whether doubtful comments of the Akismet door come into the queue too; not at first.",
)
@click.option(
    "--memory-days", type=click.IntRange(0, LONGEST_DAYS), help="How long decisions count for near-copies."
)
@click.option(
    "--memory-rejections",
    type=click.IntRange(0),
    help="Rejections that reject a near-copy; 0: none do.",
)
@click.option(
    "--domain-rejections", type=click.IntRange(0), help="Rejections from which a domain holds; 0: none do."
)
@click.option(
    "--spot-check-share",
    type=click.FloatRange(0, 1),
    help="Of what no person decided, looked at all the same.",
)
@click.option(
    "--promise",
    "promises",
    multiple=True,
    metavar="CATEGORY:PUBLISH[:REJECT]",
    help="Least share that is right of what is published, and of what is rejected, without a person; - for "
    "none. Replaces all promises; `none` takes them back.",
)
@click.option(
    "--promise-confidence", type=click.FloatRange(0.5, HIGHEST_PROMISE), help="How sure a promise must be."
)
@click.option("--hold-new-domains/--pass-new-domains", default=None, help="Links to domains never seen.")
@click.option("--hold-first-comments/--pass-first-comments", default=None, help="Authors never approved.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@refusing
def site_policy(site_id: str, as_json: bool, **options: Any) -> None:
    """Change a site's policy: what is left out stays, and a new version comes into force."""
    changes = {name: value for name, value in options.items() if value is not None and value != ()}
    if "thresholds" in changes:
        changes["thresholds"] = dict(_threshold(text) for text in changes["thresholds"])
    if "promises" in changes:
        changes["promises"] = dict(_promise(text) for text in changes["promises"] if text != "none")
    if "blocked_words" in changes:
        changes["blocked_words"] = list(changes["blocked_words"])
    if changes.get("close_after_days") == 0:
        changes["close_after_days"] = None
    with transaction(settings_and_log()) as session:
        policy = change_policy(session, site_id, changes, datetime.now(UTC))
    _print(asdict(policy), as_json)


@site_group.command("coral-secret")
@click.argument("site_id")
@refusing
def site_coral_secret(site_id: str) -> None:
    """Keep the secret that Coral signs its external moderation phase with; read from standard input."""
    # Not from the command line, which every process of the machine can read.
    secret = click.prompt("Secret", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
    if not 8 <= len(secret.strip()) <= NAME_LENGTH:
        raise ValueError(f"a secret of 8 to {NAME_LENGTH} characters is needed, as Coral shows it")
    with transaction(settings_and_log()) as session:
        keep_secret(session, site_id, CORAL, secret.strip(), datetime.now(UTC))
    click.echo("Kept. In Coral the address of the phase is /coral/moderation-phase/" + site_id)


@moderator_group.command("create")
@click.option("--name", required=True, help="Shown beside their decisions.")
@click.option(
    "--role", type=click.Choice([r.value for r in Role]), default=Role.MODERATOR.value, show_default=True
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@refusing
def moderator_create(name: str, role: str, as_json: bool) -> None:
    """Make a moderator and print the key, which is shown this once."""
    settings = settings_and_log()
    with transaction(settings) as session:
        person = create_moderator(
            session, _name(name), Role(role), secret=settings.secret_key, now=datetime.now(UTC)
        )
    _print(asdict(person), as_json)


@contextmanager
def transaction(settings: Settings) -> Iterator[Session]:
    database = open_database(settings.database_url)
    try:
        with database.write() as session:
            yield session
    finally:
        database.engine.dispose()


def _print(values: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(values, default=str))
        return
    for name, value in values.items():
        click.echo(f"{name:<14} {value}")


def _name(name: str) -> str:
    if not name.strip() or len(name) > NAME_LENGTH or "\0" in name:
        raise ValueError(f"--name takes 1 to {NAME_LENGTH} characters")
    return name.strip()


def _origin(origin: str) -> str:
    parts = urlsplit(origin)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path not in {"", "/"}:
        raise ValueError(f"--origin takes scheme and host, such as https://blog.example.org, not {origin!r}")
    return f"{parts.scheme}://{parts.netloc}"


def _promise(text: str) -> tuple[str, dict[str, float | None]]:
    category, *numbers = text.split(":")
    if category not in CATEGORIES or len(numbers) not in {1, 2}:
        raise ValueError(f"--promise takes CATEGORY:PUBLISH[:REJECT], not {text!r}")
    shares = [None if number == "-" else float(number) for number in numbers]
    return category, dict(zip(("publish", "reject"), shares, strict=False))


def _threshold(text: str) -> tuple[str, dict[str, float]]:
    category, *numbers = text.split(":")
    if category not in CATEGORIES or len(numbers) not in {1, 2}:
        raise ValueError(f"--threshold takes CATEGORY:HOLD[:REJECT], not {text!r}")
    return category, dict(zip(("hold", "reject"), map(float, numbers), strict=False))
