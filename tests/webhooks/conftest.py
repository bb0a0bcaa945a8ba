"""A receiver, a sender that may reach it, and an endpoint for it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from moderation.database import Database
from moderation.domain.webhooks import Event
from moderation.models import WebhookEndpoint
from moderation.services.access import NewSite
from moderation.services.webhooks import EndpointWish, create_endpoint
from tests.webhooks.receiver import Receiver, receiving
from workers.process import Process
from workers.webhook_sending import Sender
from workers.webhooks import deliver_due

AddEndpoint = Callable[..., WebhookEndpoint]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A blog's receiver of webhooks."""
    with receiving() as one:
        yield one


@pytest.fixture
def add_endpoint(database: Database, alma: NewSite) -> AddEndpoint:
    """Make an endpoint of Alma's site for every event."""

    def add(url: str, **more: bool) -> WebhookEndpoint:
        with database.write() as session:
            wish = EndpointWish(alma.site_id, url, [event.value for event in Event], **more)
            return create_endpoint(session, wish, datetime.now(UTC))

    return add


@pytest.fixture
def deliver(process: Process) -> Callable[[], int]:
    """Run the delivery job here and now, allowed to reach this machine."""
    return lambda: deliver_due(replace(process), Sender(private=True, connect_seconds=2, total_seconds=5))
