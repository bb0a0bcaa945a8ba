"""What is done to an item short of deciding it, and labels given with a decision."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from moderation.database import Database
from moderation.models import Label
from moderation.services.access import NewModerator
from tests.conftest import Api
from tests.console.conftest import Console, Held


def test_a_claim_is_taken_held_and_given_back(
    api: Api, console: Console, held: Held, bruno: NewModerator
) -> None:
    path = f"/console/items/{held()['id']}"
    page = console.follow(console.send(f"{path}/claim"))
    assert "You have claimed this until" in page and "data-heartbeat" in page
    console.send(f"{path}/release", reason="skip")
    assert api.queue(bruno)[0]["claim"] is None


def test_another_ones_claim_is_told(api: Api, console: Console, held: Held, carla: NewModerator) -> None:
    item = held()
    api.call("PUT", f"/api/v1/queue/{item['id']}/claim", carla.key, json={})
    answer = console.send(f"/console/items/{item['id']}/claim")
    assert (answer.status_code, "Claimed by carla." in answer.text) == (409, True)


def test_a_note_stays_with_the_comment(console: Console, held: Held) -> None:
    path = f"/console/items/{held()['id']}"
    page = console.follow(console.send(f"{path}/notes", note="<b>known</b> to us"))
    assert "Bruno noted" in page and "&lt;b&gt;known&lt;/b&gt; to us" in page
    assert console.send(f"{path}/notes", note=" ").status_code == 422


def test_what_is_left_to_a_maintainer_leaves_the_moderators_queue(
    api: Api, console: Console, held: Held, carla: NewModerator
) -> None:
    item = held()
    page = console.follow(console.send(f"/console/items/{item['id']}/escalation", note="a threat?"))
    assert "Left to a maintainer." in page and "Nothing needs a person." in page
    assert "left to a maintainer" in console.get("/console/?escalated=true")
    decided = console.send(
        f"/console/items/{item['id']}/decision", action="approve", version=item["version"] + 1
    )
    assert decided.status_code == 403
    assert "only they decide it" in decided.text


def test_the_page_tells_all_that_happened(api: Api, console: Console, held: Held) -> None:
    item = held()
    console.decide(item, "reject", reason="spam")
    page = console.get(f"/console/items/{item['id']}")
    for words in ("The policy put it into the queue", "It came into the queue", "Bruno rejected it (spam)"):
        assert words in page


def test_labels_said_outright_win_over_what_the_decision_would_teach(
    console: Console, held: Held, database: Database
) -> None:
    item = held()
    labels = {"label-spam": "no", "label-insult": "yes", "label-threat": ""}
    console.decide(item, "reject", reason="spam", **labels)
    with database.read() as session:
        taught = {one.category: one.value for one in session.scalars(select(Label))}
    assert taught == {"spam": False, "insult": True}


def test_readers_reports_are_shown(api: Api, alma, console: Console, held: Held) -> None:  # type: ignore[no-untyped-def]
    item = held()
    path = f"/api/v1/comments/{item['comment']['id']}/reports"
    api.call("POST", path, alma.secret_key, json={"reason": "insult", "detail": "it hurts", "reporter": "r"})
    page = console.get(f"/console/items/{item['id']}")
    assert "What readers report" in page and "it hurts" in page
    assert "1 report" in console.get()


@pytest.mark.parametrize("what", ["claim", "release", "notes", "escalation"])
def test_an_unknown_item_is_a_page_that_is_not_there(console: Console, what: str) -> None:
    assert console.send(f"/console/items/item_x/{what}", note="a note").status_code == 404
    assert datetime.now(UTC)
