"""Webhooks: endpoints, a test of one, secrets, and what was given up."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import click
from sqlalchemy.orm import Session

from moderation.database import open_database
from moderation.domain.webhooks import Event
from moderation.models import WebhookEndpoint
from moderation.services import webhooks
from moderation.services.webhook_deliveries import Errand
from moderation.services.webhook_outbox import event_body
from moderation.settings import Settings
from moderation.webhook_addresses import BadAddress, check_url
from moderation.webhook_signing import webhook_secret
from workers.cli.start import refuse, refusing, settings_and_log

MOST_LISTED = 10_000


@click.group("webhook")
def webhook_group() -> None:
    """Webhooks: addresses that are told what became of comments."""


@webhook_group.command("add")
@click.option("--site", "site_id", required=True, help="Id of the site.")
@click.option("--url", required=True)
@click.option("--event", "events", multiple=True, required=True, type=click.Choice([e.value for e in Event]))
@click.option("--include-body", is_flag=True, help="Send the comments' text too.")
@click.option("--include-moderator", is_flag=True, help="Send the moderators' names too.")
@refusing
def add_command(
    site_id: str, url: str, events: tuple[str, ...], include_body: bool, include_moderator: bool
) -> None:
    """Make an endpoint and print its secret, which is shown this once."""
    settings = settings_and_log()
    try:
        check_url(url, private=settings.webhook_private)
    except BadAddress as error:
        refuse(f"the address {error}")
    wish = webhooks.EndpointWish(site_id, url, events, include_body, include_moderator)
    with _transaction(settings) as session:
        _print_secret(webhooks.create_endpoint(session, wish, _now()), settings)


@webhook_group.command("list")
@click.option("--site", "site_id", help="Id of a site; all by default.")
@refusing
def list_command(site_id: str | None) -> None:
    """Print the endpoints as JSON Lines."""
    with _transaction(settings_and_log()) as session:
        for one in webhooks.list_endpoints(session, site_id, "", MOST_LISTED):
            names = ("id", "site_id", "url", "events", "enabled", "disabled_reason", "failing_since")
            click.echo(json.dumps({name: getattr(one, name) for name in names}, default=str))


@webhook_group.command("test")
@click.argument("endpoint_id")
@refusing
def test_command(endpoint_id: str) -> None:
    """Send an event of type `webhook.test` now and print what came back."""
    from workers.webhook_sending import Sender
    from workers.webhooks import send

    settings = settings_and_log()
    with _transaction(settings) as session:
        endpoint = webhooks.get_endpoint(session, endpoint_id)
        url, salts = endpoint.url, tuple(webhooks.valid_salts(endpoint, _now()))
    body = event_body("webhook.test", {"endpoint_id": endpoint_id}, _now())
    errand = Errand(f"test_{secrets.token_hex(8)}", endpoint_id, url, body, salts)
    answer = send(Sender(private=settings.webhook_private), errand, settings.secret_key)
    click.echo(f"status {answer.status}, {answer.size} bytes" if answer.status else "no answer")
    if not answer.succeeded:
        refuse(answer.trouble or f"the endpoint answered {answer.status}")


@webhook_group.command("rotate")
@click.argument("endpoint_id")
@click.option("--hours", default=webhooks.ROTATION_HOURS, show_default=True, type=click.FloatRange(0, 720))
@refusing
def rotate_command(endpoint_id: str, hours: float) -> None:
    """Print a new secret; the one before it signs beside it for some hours."""
    settings = settings_and_log()
    with _transaction(settings) as session:
        _print_secret(webhooks.rotate_secret(session, endpoint_id, hours, _now()), settings)


@webhook_group.command("disable")
@click.argument("endpoint_id")
@refusing
def disable_command(endpoint_id: str) -> None:
    """Deliver nothing to an endpoint; what waits goes on waiting."""
    _change(endpoint_id, enabled=False)


@webhook_group.command("enable")
@click.argument("endpoint_id")
@refusing
def enable_command(endpoint_id: str) -> None:
    """Deliver to an endpoint again."""
    _change(endpoint_id, enabled=True)


@webhook_group.command("replay")
@click.argument("endpoint_id")
@click.option("--delivery", "delivery_id", help="One delivery, whatever became of it; by default all dead.")
@refusing
def replay_command(endpoint_id: str, delivery_id: str | None) -> None:
    """Deliver again what was given up."""
    with _transaction(settings_and_log()) as session:
        if delivery_id is None:
            count = webhooks.replay_dead(session, endpoint_id, _now())
        else:
            webhooks.replay(session, delivery_id, _now())
            count = 1
    click.echo(f"{count} to be delivered again")


@webhook_group.command("remove")
@click.argument("endpoint_id")
@refusing
def remove_command(endpoint_id: str) -> None:
    """Remove an endpoint and its deliveries."""
    with _transaction(settings_and_log()) as session:
        webhooks.remove_endpoint(session, endpoint_id)


def _change(endpoint_id: str, *, enabled: bool) -> None:
    with _transaction(settings_and_log()) as session:
        webhooks.change_endpoint(session, endpoint_id, {"enabled": enabled})


def _print_secret(endpoint: WebhookEndpoint, settings: Settings) -> None:
    secret = webhook_secret(endpoint.salt, settings.secret_key)
    click.echo(json.dumps({"endpoint_id": endpoint.id, "secret": secret}))


@contextmanager
def _transaction(settings: Settings) -> Iterator[Session]:
    database = open_database(settings.database_url)
    with database.write() as session:
        yield session


def _now() -> datetime:
    return datetime.now(UTC)
