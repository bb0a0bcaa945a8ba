"""`greenroom webhook deliveries` and `replay`: what was given up is listed and can be sent again"""

import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import update

from moderation.database import Database
from moderation.models import WebhookDelivery, WebhookEndpoint
from moderation.services import webhooks
from moderation.services.audit import COMMAND_LINE, latest_acts
from moderation.services.webhook_outbox import tell_promoted
from moderation.services.webhooks import list_deliveries
from moderation.settings import Settings
from tests.conftest import SECRET
from tests.webhooks.conftest import AddEndpoint
from workers.cli import main

NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def endpoint(database: Database, add_endpoint: AddEndpoint) -> WebhookEndpoint:
    """An endpoint with five deliveries, of which the oldest three are dead."""
    made = add_endpoint("https://blog.example.org/hook")
    with database.write() as session:
        for number in range(5):
            tell_promoted(session, f"v-{number}", "promotion", NOW + timedelta(minutes=number))
        session.flush()
        ids = [one.id for one in list_deliveries(session, made.id, None, None, 9)]
        dead = {"status": "dead", "attempts": 10, "answer_status": 500, "finished_at": NOW}
        session.execute(update(WebhookDelivery).where(WebhookDelivery.id.in_(ids[2:])).values(dead))
    return made


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> "Run":
    monkeypatch.setenv("GREENROOM_HOME", str(settings.home))
    monkeypatch.setenv("GREENROOM_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("GREENROOM_SECRET_KEY", SECRET)
    return Run()


class Run:
    """Run a command about webhooks."""

    def __call__(self, *words: str) -> Result:
        return CliRunner().invoke(main, ["webhook", *words])


def test_what_was_given_up_can_be_listed(run: Run, endpoint: WebhookEndpoint) -> None:
    printed = run("deliveries", endpoint.id, "--dead", "--json").output.splitlines()
    rows = [json.loads(line) for line in printed]
    assert [(row["status"], row["attempts"], row["answer_status"]) for row in rows] == [("dead", 10, 500)] * 3
    assert [row["id"] for row in rows] == sorted((row["id"] for row in rows), reverse=True)
    assert "body" not in rows[0]
    assert rows[0]["finished_at"].startswith("2026-11-01T00:00:00")


def test_all_are_listed_as_lines_up_to_a_limit(run: Run, endpoint: WebhookEndpoint) -> None:
    assert len(run("deliveries", endpoint.id).output.splitlines()) == 5
    (line,) = run("deliveries", endpoint.id, "--limit", "1").output.splitlines()
    assert "model.promoted  waiting  0" in line
    assert run("deliveries", "whe_none").exit_code == 2


def test_all_that_was_given_up_is_replayed_in_parts_and_recorded(
    run: Run, endpoint: WebhookEndpoint, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "REPLAYED_AT_ONCE", 2)
    assert run("replay", endpoint.id).output == "3 to be delivered again\n"
    with database.read() as session:
        found = list_deliveries(session, endpoint.id, None, None, 9)
        lines = latest_acts(session, subject=endpoint.id)
    assert {(one.status, one.attempts, one.finished_at) for one in found} == {("waiting", 0, None)}
    assert [(one.actor, one.details) for one in lines] == [(COMMAND_LINE, {"dead": n}) for n in (1, 2)]
    assert run("replay", endpoint.id).output == "0 to be delivered again\n"


def test_one_delivery_is_replayed_and_recorded(
    run: Run, endpoint: WebhookEndpoint, database: Database
) -> None:
    with database.read() as session:
        dead = list_deliveries(session, endpoint.id, "dead", None, 1)[0].id
    assert run("replay", endpoint.id, "--delivery", dead).output == "1 to be delivered again\n"
    with database.read() as session:
        assert [one.details for one in latest_acts(session)] == [{"delivery": dead}]
        assert len(list_deliveries(session, endpoint.id, "dead", None, 9)) == 2
