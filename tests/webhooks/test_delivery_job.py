"""The delivery job against a real receiver: signed, tried again, never twice at once, a slow one alone"""

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from standardwebhooks import Webhook

from moderation.database import Database
from moderation.models import WebhookDelivery, WebhookEndpoint
from moderation.services.access import NewModerator, NewSite
from moderation.services.webhook_deliveries import (
    DELIVERED_KEPT,
    PATIENCE,
    TAKEN,
    next_errand,
    take_endpoint,
)
from moderation.services.webhook_outbox import tell_promoted
from moderation.services.webhooks import remove_endpoint, replay_dead, rotate_secret
from moderation.webhook_signing import webhook_secret
from tests.conftest import SECRET, Api
from tests.fakes import FakeWakeUps
from tests.webhooks.conftest import AddEndpoint
from tests.webhooks.receiver import Receiver, receiving
from workers.process import Process
from workers.sweeper import sweep_now

Deliver = Callable[[], int]
Drain = Callable[[], int]


def deliveries(database: Database) -> list[WebhookDelivery]:
    with database.read() as session:
        return list(session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.id)))


def endpoint_now(database: Database, endpoint_id: str) -> WebhookEndpoint:
    with database.read() as session:
        return session.get_one(WebhookEndpoint, endpoint_id)


def make_due(database: Database) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    with database.write() as session:
        session.execute(update(WebhookDelivery).values(due_at=past))
        session.execute(update(WebhookEndpoint).values(paused_until=None))


def data_of(receiver: Receiver) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in receiver.requests]


def test_a_decision_is_told_and_the_signature_verifies(
    api: Api, alma: NewSite, receiver: Receiver, add_endpoint: AddEndpoint, drain: Drain, deliver: Deliver
) -> None:
    endpoint = add_endpoint(receiver.url)
    comment = api.hand_in(alma, "A private word.", external_id="42")
    drain()
    assert deliver() == 1
    (request,) = receiver.requests
    Webhook(webhook_secret(endpoint.salt, SECRET.encode())).verify(request.body, request.headers)
    told = json.loads(request.body)
    assert (told["type"], told["data"]["comment_id"]) == ("comment.approved", comment["id"])
    assert (told["data"]["external_id"], told["data"]["thread"]["id"]) == ("42", "first-post")
    assert (told["data"]["version"], told["data"]["actor"]) == (2, {"kind": "policy"})
    assert b"private word" not in request.body


def test_the_text_and_the_moderator_are_told_to_who_asks(
    api: Api, alma: NewSite, bruno: NewModerator, receiver: Receiver, add_endpoint: AddEndpoint, drain: Drain,
    deliver: Deliver,
) -> None:  # fmt: skip
    add_endpoint(receiver.url, include_body=True, include_moderator=True)
    api.hand_in(alma, "score:spam=0.7 said")
    drain()
    (item,) = api.queue(bruno)
    api.decide(bruno, item, "approve")
    deliver()
    held, approved = data_of(receiver)
    assert (held["type"], held["data"]["body"]) == ("comment.held", "score:spam=0.7 said")
    assert (approved["type"], approved["data"]["actor"]["name"]) == ("comment.approved", "Bruno")


def test_a_reversal_and_a_removal_are_told(
    api: Api, alma: NewSite, bruno: NewModerator, receiver: Receiver, add_endpoint: AddEndpoint, drain: Drain,
    deliver: Deliver,
) -> None:  # fmt: skip
    add_endpoint(receiver.url)
    comment = api.hand_in(alma, "score:spam=0.7")
    drain()
    (item,) = api.queue(bruno)
    decision = api.decide(bruno, item, "approve").get_json()["decision"]["id"]
    assert api.call("POST", f"/api/v1/decisions/{decision}/reversal", bruno.key).status_code == 200
    path = f"/api/v1/comments/{comment['id']}"
    assert api.call("DELETE", path, alma.secret_key).status_code in {200, 204}
    deliver()
    told = [one["type"] for one in data_of(receiver)]
    assert told == [
        "comment.held",
        "comment.approved",
        "comment.held",
        "decision.reversed",
        "comment.removed",
    ]
    assert b"Bruno" not in b"".join(request.body for request in receiver.requests)


def test_both_secrets_verify_during_a_rotation(
    api: Api, alma: NewSite, receiver: Receiver, add_endpoint: AddEndpoint, drain: Drain, deliver: Deliver,
    database: Database,
) -> None:  # fmt: skip
    before = add_endpoint(receiver.url)
    with database.write() as session:
        after = rotate_secret(session, before.id, 1.0, datetime.now(UTC)).salt
    api.hand_in(alma)
    drain()
    deliver()
    (request,) = receiver.requests
    assert before.salt != after
    for salt in (before.salt, after):
        Webhook(webhook_secret(salt, SECRET.encode())).verify(request.body, request.headers)


def test_a_failed_try_is_repeated_under_the_same_id_with_the_time_of_the_try(
    api: Api, alma: NewSite, receiver: Receiver, add_endpoint: AddEndpoint, drain: Drain, deliver: Deliver,
    database: Database,
) -> None:  # fmt: skip
    add_endpoint(receiver.url)
    receiver.status = 500
    api.hand_in(alma)
    drain()
    deliver()
    assert deliver() == 0
    (waiting,) = deliveries(database)
    assert (waiting.status, waiting.attempts, waiting.answer_status) == ("waiting", 1, 500)
    time.sleep(1.0)
    make_due(database)
    receiver.status = 204
    deliver()
    first, second = receiver.requests
    assert receiver.ids() == [waiting.id] * 2
    assert first.body == second.body
    assert int(first.headers["webhook-timestamp"]) < int(second.headers["webhook-timestamp"])
    assert deliveries(database)[0].status == "delivered"


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_redirect_is_a_failure_and_not_followed(
    api: Api, alma: NewSite, receiver: Receiver, add_endpoint: AddEndpoint, drain: Drain, deliver: Deliver,
    database: Database, status: int,
) -> None:  # fmt: skip
    with receiving() as private:
        receiver.status, receiver.headers = status, {"Location": private.url}
        add_endpoint(receiver.url)
        api.hand_in(alma)
        drain()
        deliver()
        assert private.requests == []
    assert deliveries(database)[0].trouble == "redirects are not followed"


def test_an_endpoint_that_is_gone_is_disabled(
    api: Api, alma: NewSite, receiver: Receiver, add_endpoint: AddEndpoint, drain: Drain, deliver: Deliver,
    database: Database,
) -> None:  # fmt: skip
    receiver.status = 410
    endpoint = add_endpoint(receiver.url)
    api.hand_in(alma)
    api.hand_in(alma)
    drain()
    assert deliver() == 1
    found = endpoint_now(database, endpoint.id)
    assert (found.enabled, found.disabled_reason) == (False, "gone")
    assert sorted(one.status for one in deliveries(database)) == ["dead", "waiting"]


def test_retry_after_is_kept_and_pauses_the_whole_endpoint(
    api: Api, alma: NewSite, receiver: Receiver, add_endpoint: AddEndpoint, drain: Drain, deliver: Deliver,
    database: Database,
) -> None:  # fmt: skip
    receiver.status, receiver.headers = 429, {"Retry-After": "3600"}
    endpoint = add_endpoint(receiver.url)
    api.hand_in(alma)
    api.hand_in(alma)
    drain()
    assert deliver() == 1
    soon = datetime.now(UTC) + timedelta(seconds=3500)
    assert max(one.due_at for one in deliveries(database)) > soon
    assert (endpoint_now(database, endpoint.id).paused_until or soon) > soon


def test_after_the_last_try_it_is_dead_until_it_is_replayed(
    api: Api, alma: NewSite, receiver: Receiver, add_endpoint: AddEndpoint, drain: Drain, deliver: Deliver,
    database: Database,
) -> None:  # fmt: skip
    receiver.status = 500
    endpoint = add_endpoint(receiver.url)
    api.hand_in(alma)
    drain()
    for _ in range(10):
        make_due(database)
        deliver()
    (dead,) = deliveries(database)
    assert (dead.status, len(receiver.requests)) == ("dead", 10)
    receiver.status = 204
    with database.write() as session:
        assert replay_dead(session, endpoint.id, "Carla", datetime.now(UTC)) == [dead.id]
    deliver()
    assert deliveries(database)[0].status == "delivered"
    assert set(receiver.ids()) == {dead.id}


def test_an_endpoint_that_fails_for_days_is_disabled(
    api: Api, alma: NewSite, receiver: Receiver, add_endpoint: AddEndpoint, drain: Drain, deliver: Deliver,
    database: Database,
) -> None:  # fmt: skip
    receiver.status = 500
    endpoint = add_endpoint(receiver.url)
    with database.write() as session:
        session.execute(update(WebhookEndpoint).values(failing_since=datetime.now(UTC) - PATIENCE))
    api.hand_in(alma)
    drain()
    deliver()
    found = endpoint_now(database, endpoint.id)
    assert (found.enabled, found.disabled_reason) == (False, "failing")


def test_a_slow_endpoint_delays_no_other(
    api: Api, alma: NewSite, receiver: Receiver, add_endpoint: AddEndpoint, drain: Drain, deliver: Deliver
) -> None:
    with receiving() as slow:
        slow.pause = 3.0
        add_endpoint(slow.url)
        add_endpoint(receiver.url)
        for _ in range(3):
            api.hand_in(alma)
        drain()
        job = threading.Thread(target=deliver)
        job.start()
        ends = time.monotonic() + 2.5
        while len(receiver.requests) < 3 and time.monotonic() < ends:
            time.sleep(0.02)
        assert len(receiver.requests) == 3
        assert len(slow.requests) <= 1
        job.join(timeout=30)


def test_two_workers_never_send_to_one_endpoint_at_once(
    api: Api, alma: NewSite, receiver: Receiver, add_endpoint: AddEndpoint, drain: Drain, deliver: Deliver
) -> None:
    receiver.pause = 0.05
    add_endpoint(receiver.url)
    for _ in range(10):
        api.hand_in(alma)
    drain()
    jobs = [threading.Thread(target=deliver) for _ in range(2)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join(timeout=60)
    assert receiver.most_at_once == 1
    assert len(receiver.ids()) == len(set(receiver.ids())) == 10


def test_who_lost_an_endpoint_to_another_sends_no_more(
    api: Api, alma: NewSite, receiver: Receiver, add_endpoint: AddEndpoint, drain: Drain, database: Database
) -> None:
    endpoint = add_endpoint(receiver.url)
    api.hand_in(alma)
    drain()
    now = datetime.now(UTC)
    later = now + TAKEN + timedelta(seconds=1)
    with database.write() as session:
        assert take_endpoint(session, endpoint.id, "one", now)
        assert not take_endpoint(session, endpoint.id, "two", now)
        assert take_endpoint(session, endpoint.id, "two", later)
        assert next_errand(session, endpoint.id, "one", later) is None
        assert next_errand(session, endpoint.id, "two", later) is not None


def test_the_sweeper_wakes_a_worker_for_what_is_due_and_deletes_what_is_old(
    api: Api, alma: NewSite, receiver: Receiver, add_endpoint: AddEndpoint, drain: Drain, deliver: Deliver,
    database: Database, process: Process, wake_ups: FakeWakeUps,
) -> None:  # fmt: skip
    add_endpoint(receiver.url)
    sweep_now(process)
    assert wake_ups.webhooks == 0
    api.hand_in(alma)
    drain()
    sweep_now(process)
    assert wake_ups.webhooks == 1
    deliver()
    sweep_now(process)
    assert len(deliveries(database)) == 1
    with database.write() as session:
        old = datetime.now(UTC) - DELIVERED_KEPT - timedelta(minutes=1)
        session.execute(update(WebhookDelivery).values(finished_at=old))
    sweep_now(process)
    assert (deliveries(database), wake_ups.webhooks) == ([], 1)


def test_a_disabled_endpoint_gets_nothing_and_a_removed_one_takes_its_deliveries_along(
    api: Api, alma: NewSite, receiver: Receiver, add_endpoint: AddEndpoint, drain: Drain, deliver: Deliver,
    database: Database,
) -> None:  # fmt: skip
    endpoint = add_endpoint(receiver.url)
    api.hand_in(alma)
    drain()
    with database.write() as session:
        session.execute(update(WebhookEndpoint).values(enabled=False))
    assert deliver() == 0
    with database.write() as session:
        remove_endpoint(session, endpoint.id)
    assert deliveries(database) == []


def test_an_endpoint_can_be_removed_while_a_delivery_to_it_is_being_written(
    database: Database, add_endpoint: AddEndpoint
) -> None:
    endpoint = add_endpoint("http://127.0.0.1:9/")

    def remove() -> None:
        with database.write() as session:
            remove_endpoint(session, endpoint.id)

    with ThreadPoolExecutor(1) as pool:
        with database.write() as session:
            tell_promoted(session, "v-1", "promotion", datetime.now(UTC))
            session.flush()
            removal = pool.submit(remove)
            # Long enough for it to have come as far as it can.
            time.sleep(0.5)
        removal.result(timeout=20)
    with database.read() as session:
        assert session.get(WebhookEndpoint, endpoint.id) is None
    assert deliveries(database) == []


def test_an_endpoint_can_be_removed_while_a_delivery_is_on_its_way(
    database: Database, receiver: Receiver, add_endpoint: AddEndpoint, deliver: Deliver
) -> None:
    receiver.pause = 1.0
    endpoint = add_endpoint(receiver.url)
    with database.write() as session:
        tell_promoted(session, "v-1", "promotion", datetime.now(UTC))
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(deliver)
        while not receiver.requests:
            time.sleep(0.02)
        with database.write() as session:
            remove_endpoint(session, endpoint.id)
        assert job.result(timeout=20) == 1
    assert deliveries(database) == []
