"""Webhooks: endpoints, a test of one, secrets, and what was given up."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import click
from sqlalchemy.orm import Session

from moderation.database import open_database
from moderation.domain.webhooks import DeliveryStatus, Event
from moderation.models import WebhookEndpoint
from moderation.services import webhooks
from moderation.services.audit import COMMAND_LINE
from moderation.services.webhook_deliveries import Errand
from moderation.services.webhook_outbox import event_body
from moderation.settings import Settings
from moderation.webhook_addresses import BadAddress, check_url
from moderation.webhook_signing import webhook_secret
from workers.cli.start import refuse, refusing, settings_and_log

MOST_LISTED = 10_000
# Of a delivery; its body may hold a comment's text.
SHOWN = (
    "id",
    "event",
    "status",
    "attempts",
    "answer_status",
    "trouble",
    "created_at",
    "due_at",
    "finished_at",
)


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


@webhook_group.command("deliveries")
@click.argument("endpoint_id")
@click.option("--dead", is_flag=True, help="Only those that were given up.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, MOST_LISTED))
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines.")
@refusing
def deliveries_command(endpoint_id: str, dead: bool, limit: int, as_json: bool) -> None:
    """Print the deliveries to an endpoint, newest first, and what came back; never what they say."""
    status = DeliveryStatus.DEAD if dead else None
    with _transaction(settings_and_log()) as session:
        for one in webhooks.list_deliveries(session, endpoint_id, status, None, limit):
            row = {name: getattr(one, name) for name in SHOWN}
            shown = ("" if value is None else str(value) for value in row.values())
            click.echo(json.dumps(row, default=_time) if as_json else "  ".join(shown))


@webhook_group.command("replay")
@click.argument("endpoint_id")
@click.option("--delivery", "delivery_id", help="One delivery, whatever became of it; by default all dead.")
@refusing
def replay_command(endpoint_id: str, delivery_id: str | None) -> None:
    """Deliver again what was given up."""
    settings = settings_and_log()
    if delivery_id is None:
        count = _replay_dead(settings, endpoint_id)
    else:
        with _transaction(settings) as session:
            webhooks.replay(session, delivery_id, COMMAND_LINE, _now())
        count = 1
    click.echo(f"{count} to be delivered again")


def _replay_dead(settings: Settings, endpoint_id: str) -> int:
    """In several transactions: there may be very many, and what was done stays done."""
    count, after = 0, ""
    while True:
        with _transaction(settings) as session:
            ids = webhooks.replay_dead(session, endpoint_id, COMMAND_LINE, _now(), after=after)
        if not ids:
            return count
        count, after = count + len(ids), ids[-1]


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
    try:
        with database.write() as session:
            yield session
    finally:
        database.engine.dispose()


def _now() -> datetime:
    return datetime.now(UTC)


def _time(at: datetime) -> str:
    return at.isoformat()
