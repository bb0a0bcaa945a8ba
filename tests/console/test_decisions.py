"""Approve, reject and undo in the console do exactly what the API's calls do."""

import pytest
from sqlalchemy import select

from moderation.database import Database
from moderation.models import Label
from moderation.services.access import NewModerator, NewSite
from tests.conftest import Api
from tests.console.conftest import Console, Held


def labels(database: Database) -> dict[str, bool]:
    """What is taught at present."""
    with database.read() as session:
        rows = session.scalars(select(Label).where(Label.retracted_at.is_(None)))
        return {label.category: label.value for label in rows}


def test_approving_publishes_and_teaches(
    api: Api, alma: NewSite, console: Console, held: Held, database: Database
) -> None:
    item = held()
    page = console.follow(console.decide(item, "approve"))
    assert "Approved." in page
    assert "Nothing needs a person." in page
    assert api.fate(alma, item["comment"]["id"]) == ("approved", "clean")
    assert labels(database) == {"spam": False, "toxicity": False}


@pytest.mark.parametrize(
    ("reason", "taught", "told"),
    [
        ("spam", {"spam": True}, "Rejected as spam."),
        ("identity_attack", {"identity_attack": True, "toxicity": True}, "Rejected as identity attack."),
        ("off_topic", {}, "Rejected as off topic."),
    ],
)
def test_rejecting_names_the_reason_and_teaches_it(
    api: Api,
    alma: NewSite,
    console: Console,
    held: Held,
    database: Database,
    reason: str,
    taught: dict[str, bool],
    told: str,
) -> None:
    item = held()
    assert told in console.follow(console.decide(item, "reject", reason=reason))
    assert api.fate(alma, item["comment"]["id"]) == ("rejected", reason)
    assert labels(database) == taught


def test_undo_puts_it_back_and_forgets_what_was_learned(
    api: Api, alma: NewSite, console: Console, held: Held, database: Database
) -> None:
    item = held("score:spam=0.70 apples")
    page = console.follow(console.decide(item, "reject", reason="spam"))
    back = console.follow(console.undo(page))
    assert "Taken back: the comment is in the queue again." in back
    assert "apples" in back
    assert api.fate(alma, item["comment"]["id"])[0] == "held"
    assert labels(database) == {}


def test_the_same_part_of_the_queue_and_the_next_card_come_after(console: Console, held: Held) -> None:
    first, second = held("score:spam=0.70 apples"), held("score:spam=0.70 pears")
    query = "?reason=spam&q=score"
    assert f'name="next" value="{second["id"]}"' in console.get(f"/console/{query}")
    answer = console.decide(first, "approve", query, next=second["id"])
    assert answer.location.startswith("/console/?reason=spam&q=score&decided=dec_")
    assert answer.location.endswith(f"#card-{second['id']}")


def test_a_decision_on_what_somebody_decided_says_who_and_when(
    api: Api, alma: NewSite, carla: NewModerator, console: Console, held: Held
) -> None:
    item, other = held("score:spam=0.70 apples"), held("score:spam=0.70 pears")
    api.decide(carla, item, "approve")
    answer = console.decide(item, "reject", reason="spam")
    assert answer.status_code == 412
    assert "Carla approved this comment less than a minute ago" in answer.text
    assert "UTC" in answer.text
    assert other["id"] in answer.text
    assert api.fate(alma, item["comment"]["id"])[0] == "approved"


@pytest.mark.parametrize("version", ["99", "", "nonsense", "9" * 5000])
def test_a_version_that_is_not_the_current_one_is_stale(
    api: Api, alma: NewSite, console: Console, held: Held, version: str
) -> None:
    item = held()
    answer = console.decide(item | {"version": version}, "approve")
    assert answer.status_code == 412
    assert "changed since you looked at it" in answer.text
    assert api.fate(alma, item["comment"]["id"])[0] == "held"


def test_an_edit_by_the_author_is_told(api: Api, alma: NewSite, console: Console, held: Held) -> None:
    item = held()
    path = f"/api/v1/comments/{item['comment']['id']}"
    assert api.call("PUT", path, alma.secret_key, json={"body": "other words"}).status_code < 300
    answer = console.decide(item, "approve")
    assert answer.status_code == 412
    assert "edited this comment" in answer.text


def test_what_another_moderator_claimed_is_left_to_them(
    api: Api, alma: NewSite, carla: NewModerator, console: Console, held: Held
) -> None:
    item = held()
    api.call("PUT", f"/api/v1/queue/{item['id']}/claim", carla.key, json={})
    answer = console.decide(item, "approve")
    assert answer.status_code == 409
    assert "Carla has claimed this comment until" in answer.text
    assert api.fate(alma, item["comment"]["id"])[0] == "held"


def test_an_undo_after_something_newer_says_who_and_when(
    api: Api, alma: NewSite, carla: NewModerator, console: Console, held: Held
) -> None:
    item = held()
    page = console.follow(console.decide(item, "reject", reason="spam"))
    console.undo(page)
    (again,) = api.queue(carla)
    api.decide(carla, again, "approve")
    answer = console.undo(page)
    assert answer.status_code == 409
    assert "Carla approved this comment" in answer.text
    assert api.fate(alma, item["comment"]["id"])[0] == "approved"


@pytest.mark.parametrize(
    "fields", [{"action": "remove"}, {"action": "reject"}, {"action": "reject", "reason": "clean"}]
)
def test_a_ruling_that_is_none_changes_nothing(
    api: Api, alma: NewSite, console: Console, held: Held, fields: dict[str, str]
) -> None:
    item = held()
    assert console.decide(item, **fields).status_code == 422
    assert api.fate(alma, item["comment"]["id"])[0] == "held"


def test_unknown_items_and_decisions_have_a_page_that_says_so(console: Console) -> None:
    for path in ("/console/items/item_1/decision", "/console/decisions/dec_1/reversal"):
        answer = console.send(path, action="approve", version=1)
        assert answer.status_code == 404
        assert "There is no such page" in answer.text


def test_a_signed_out_moderators_decision_is_not_recorded(
    api: Api, alma: NewSite, stranger: Console, held: Held
) -> None:
    item = held()
    answer = stranger.decide(item, "approve")
    assert answer.status_code == 401
    assert "nothing was changed" in answer.text
    assert api.fate(alma, item["comment"]["id"])[0] == "held"
