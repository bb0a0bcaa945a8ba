"""The verifiers of Standard Webhooks, for Python and Node, on a request that a receiver really got"""

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from moderation.services.webhook_deliveries import Errand
from moderation.webhook_signing import webhook_secret
from tests.clients.running import run_node, run_python
from tests.webhooks.receiver import Received, receiving
from workers.webhook_sending import Sender
from workers.webhooks import send

KEY = secrets.token_bytes(32)
SALTS = ("the new one", "the one before")
VERIFIERS = pytest.mark.parametrize(
    ("run", "script"), [(run_python, "webhook.py"), (run_node, "webhook.mjs")]
)


@pytest.fixture
def received() -> Iterator[Received]:
    """A delivery during a rotation, as it came."""
    with receiving() as receiver:
        errand = Errand(
            "dlv_1", "whe_1", receiver.url, '{"type":"comment.approved","data":{"id":"größer"}}', SALTS
        )
        assert send(Sender(private=True), errand, KEY).succeeded
        yield receiver.requests[0]


@VERIFIERS
@pytest.mark.parametrize("salt", SALTS)
def test_either_secret_verifies_during_a_rotation(
    received: Received, run: Callable[..., Any], script: str, salt: str
) -> None:
    given = {"secret": webhook_secret(salt, KEY), "body": received.body.decode(), "headers": received.headers}
    assert run(script, given) == "comment.approved"


@VERIFIERS
@pytest.mark.parametrize("change", ["secret", "body", "time"])
def test_nothing_else_verifies(received: Received, run: Callable[..., Any], script: str, change: str) -> None:
    given: dict[str, Any] = {"secret": webhook_secret(SALTS[0], KEY), "body": received.body.decode()}
    given["headers"] = dict(received.headers)
    if change == "secret":
        given["secret"] = webhook_secret("another", KEY)
    elif change == "body":
        given["body"] += " "
    else:
        given["headers"]["webhook-timestamp"] = str(int(received.headers["webhook-timestamp"]) - 7)
    assert run(script, given) == "WebhookVerificationError"
