"""PUT and DELETE /api/v1/comments/{id}"""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from moderation.database import Database
from moderation.domain.rules import judge
from moderation.models import Decision, Submission
from moderation.services.access import NewModerator, NewSite
from moderation.services.pending import (
    Judged,
    policies_for,
    read_taken,
    record_verdicts,
    signals_for,
    take_pending,
)
from tests.conftest import Api, make_site
from tests.fakes import FakeScorer, FakeWakeUps

PATH = "/api/v1/comments"
Drain = Callable[[], int]


def edit(api: Api, site: NewSite, comment_id: str, body: str) -> TestResponse:
    return api.call("PUT", f"{PATH}/{comment_id}", site.secret_key, json={"body": body})


def withdraw(api: Api, site: NewSite, comment_id: str) -> TestResponse:
    return api.call("DELETE", f"{PATH}/{comment_id}", site.secret_key)


def test_an_edit_makes_a_comment_pending_and_has_the_new_text_judged(
    api: Api, alma: NewSite, drain: Drain, wake_ups: FakeWakeUps, database: Database
) -> None:
    comment_id = api.hand_in(alma)["id"]
    drain()
    wake_ups.scoring = 0
    answer = edit(api, alma, comment_id, "score:spam=0.95")
    assert (answer.status_code, answer.get_json()["status"]) == (202, "pending")
    assert (answer.get_json()["body"], answer.get_json()["reason"]) == ("score:spam=0.95", None)
    assert wake_ups.scoring == 1
    assert drain() == 1
    assert api.fate(alma, comment_id) == ("rejected", "spam")
    with database.read() as session:
        texts = session.scalars(select(Submission.body).order_by(Submission.id)).all()
        actions = session.scalars(select(Decision.action).order_by(Decision.number)).all()
    assert texts == ["A kind word.", "score:spam=0.95"]
    assert actions == ["approve", "edit", "reject"]


def test_only_the_newest_of_several_texts_is_judged(
    api: Api, alma: NewSite, drain: Drain, scorer: FakeScorer
) -> None:
    comment_id = api.hand_in(alma, "score:spam=0.95")["id"]
    edit(api, alma, comment_id, "score:spam=0.7")
    edit(api, alma, comment_id, "A kind word.")
    assert drain() == 1
    assert scorer.batches == [1]
    assert api.fate(alma, comment_id) == ("approved", "clean")


def test_a_verdict_on_an_old_text_never_decides_the_new_one(
    api: Api, alma: NewSite, drain: Drain, database: Database, scorer: FakeScorer
) -> None:
    comment_id = api.hand_in(alma, "A kind word.")["id"]
    now = datetime.now(UTC)
    with database.write() as session:
        ids = take_pending(session, now, most=1, most_bytes=1000, seconds=60).ids
        (taken,) = read_taken(session, ids, now)
    scores = scorer.score([taken.as_comment()])
    # While the worker computes, the author makes it spam.
    edit(api, alma, comment_id, "score:spam=0.95")
    with database.write() as session:
        signals = signals_for(taken, scores.rows[0], scores.operating_points, now)
        verdict = judge(signals, policies_for(session, [taken])[taken.site_id])
        assert record_verdicts(session, [Judged(taken, verdict, scores.rows[0], "fake-1")], now, 24) == []
    assert api.fate(alma, comment_id) == ("pending", None)
    drain()
    assert api.fate(alma, comment_id) == ("rejected", "spam")


def test_an_edit_closes_the_queue_item_and_its_moderator_is_told(
    api: Api, alma: NewSite, bruno: NewModerator, drain: Drain
) -> None:
    comment_id = api.hand_in(alma, "score:spam=0.7")["id"]
    drain()
    (item,) = api.queue(bruno)
    edit(api, alma, comment_id, "score:spam=0.8")
    assert api.queue(bruno) == []
    late = api.decide(bruno, item, "approve")
    assert (late.status_code, late.get_json()["decided_by"]) == (412, "author")
    assert late.get_json()["action"] == "edit"
    drain()
    (new_item,) = api.queue(bruno)
    assert new_item["id"] != item["id"]
    assert new_item["comment"]["body"] == "score:spam=0.8"


@pytest.mark.parametrize("body", ["", " \n", "x" * 20_001, "nul \0", None, 7])
def test_an_edit_is_checked_like_a_new_text(api: Api, alma: NewSite, body: object) -> None:
    comment_id = api.hand_in(alma)["id"]
    answer = api.call("PUT", f"{PATH}/{comment_id}", alma.secret_key, json={"body": body})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == ["/body"]


def test_an_edit_changes_nothing_but_the_text(api: Api, alma: NewSite) -> None:
    comment_id = api.hand_in(alma)["id"]
    data = {"body": "Another.", "author": {"name": "Somebody"}}
    answer = api.call("PUT", f"{PATH}/{comment_id}", alma.secret_key, json=data)
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, "/author")


def test_a_filled_honeypot_is_not_forgotten_by_an_edit(api: Api, alma: NewSite, drain: Drain) -> None:
    comment_id = api.hand_in(alma, honeypot="http://buy.example")["id"]
    edit(api, alma, comment_id, "A kinder word.")
    drain()
    assert api.fate(alma, comment_id) == ("rejected", "honeypot")


def test_a_withdrawn_comment_is_removed_for_good(api: Api, alma: NewSite, drain: Drain) -> None:
    comment_id = api.hand_in(alma)["id"]
    drain()
    answer = withdraw(api, alma, comment_id)
    assert (answer.status_code, answer.data) == (204, b"")
    assert api.fate(alma, comment_id) == ("removed", "withdrawn")
    refused = edit(api, alma, comment_id, "I changed my mind.")
    assert (refused.status_code, refused.get_json()["type"]) == (409, "urn:greenroom:problem:not-allowed")
    assert api.fate(alma, comment_id) == ("removed", "withdrawn")


def test_withdrawing_twice_is_harmless(api: Api, alma: NewSite, database: Database) -> None:
    comment_id = api.hand_in(alma)["id"]
    assert withdraw(api, alma, comment_id).status_code == 204
    assert withdraw(api, alma, comment_id).status_code == 204
    with database.read() as session:
        assert session.scalars(select(Decision.action)).all() == ["remove"]


def test_what_was_withdrawn_while_pending_is_never_scored(api: Api, alma: NewSite, drain: Drain) -> None:
    withdraw(api, alma, api.hand_in(alma)["id"])
    assert drain() == 0


def test_withdrawing_a_held_comment_closes_its_queue_item(
    api: Api, alma: NewSite, bruno: NewModerator, drain: Drain
) -> None:
    comment_id = api.hand_in(alma, "score:spam=0.7")["id"]
    drain()
    (item,) = api.queue(bruno)
    withdraw(api, alma, comment_id)
    assert api.queue(bruno) == []
    assert api.decide(bruno, item, "approve").status_code == 412


@pytest.mark.parametrize("call", [lambda *a: edit(*a, "Mine now."), withdraw], ids=["edit", "withdraw"])
def test_another_sites_comment_is_404(
    api: Api, alma: NewSite, database: Database, call: Callable[[Api, NewSite, str], TestResponse]
) -> None:
    stranger = make_site(database)
    comment_id = api.hand_in(alma)["id"]
    assert call(api, stranger, comment_id).status_code == 404
    assert call(api, alma, "c_nothing").status_code == 404
    assert api.fate(alma, comment_id) == ("pending", None)


def test_the_text_of_a_removed_comment_is_shown_no_more(api: Api, alma: NewSite) -> None:
    accepted = api.hand_in(alma, "I regret this.")
    path = accepted["links"]["self"]
    api.call("DELETE", path, alma.secret_key)
    for found in (
        api.call("GET", path, alma.secret_key),
        api.call("GET", f"{path}?receipt={accepted['receipt']}"),
    ):
        assert (found.get_json()["status"], found.get_json()["body"]) == ("removed", None)
