"""POST /api/v1/comments/{id}/reports"""

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from moderation.database import Database
from moderation.services.access import NewModerator, NewSite
from tests.conftest import ORIGIN, Api, make_site

Drain = Callable[[], int]


@pytest.fixture
def published(api: Api, alma: NewSite, drain: Drain) -> str:
    """A comment that the policy approved."""
    comment_id: str = api.hand_in(alma, "score:spam=0.01")["id"]
    drain()
    assert api.fate(alma, comment_id)[0] == "approved"
    return comment_id


def report(api: Api, site: NewSite, comment_id: str, reporter: str = "r1", **more: Any) -> TestResponse:
    data = {"reason": "spam", "reporter": reporter} | more
    return api.call("POST", f"/api/v1/comments/{comment_id}/reports", site.secret_key, json=data)


def test_a_report_brings_a_published_comment_to_a_person_and_leaves_it_published(
    api: Api, alma: NewSite, bruno: NewModerator, published: str
) -> None:
    answer = report(api, alma, published, detail="an advertisement")
    assert (answer.status_code, answer.get_json()["status"]) == (202, "received")
    (item,) = api.queue(bruno, "?reported=true")
    assert (item["comment"]["id"], item["reason"], item["reports"]) == (published, "reported", 1)
    assert item["why"][0] == "reported by a reader"
    assert api.fate(alma, published)[0] == "approved"
    detail = api.call("GET", f"/api/v1/queue/{item['id']}", bruno.key).get_json()
    assert [(one["reason"], one["detail"]) for one in detail["readers_reports"]] == [
        ("spam", "an advertisement")
    ]


def test_the_same_reader_counts_once(api: Api, alma: NewSite, bruno: NewModerator, published: str) -> None:
    first, again = report(api, alma, published), report(api, alma, published, reason="insult")
    assert first.get_json() == again.get_json()
    assert api.queue(bruno)[0]["reports"] == 1


def test_a_report_on_an_open_item_makes_who_saw_it_look_again(
    api: Api, alma: NewSite, bruno: NewModerator, published: str
) -> None:
    report(api, alma, published)
    (seen,) = api.queue(bruno)
    report(api, alma, published, "r2")
    (now,) = api.queue(bruno)
    assert (now["id"], now["reports"], now["version"]) == (seen["id"], 2, seen["version"] + 1)
    assert api.decide(bruno, seen, "approve").status_code == 412


def test_keeping_a_reported_comment_dismisses_the_reports_and_teaches_that_it_is_fine(
    api: Api, alma: NewSite, bruno: NewModerator, carla: NewModerator, published: str
) -> None:
    first = report(api, alma, published).get_json()["id"]
    (item,) = api.queue(bruno)
    assert api.decide(bruno, item, "approve").status_code == 200
    assert api.fate(alma, published)[0] == "approved"
    assert api.queue(bruno) == []
    again = report(api, alma, published).get_json()
    assert again == {"id": first, "status": "dismissed"}
    labels = api.call("GET", "/api/v1/labels.jsonl", carla.key).get_data(as_text=True)
    assert '"spam": false' in labels


def test_rejecting_a_reported_comment_upholds_the_reports(
    api: Api, alma: NewSite, bruno: NewModerator, published: str
) -> None:
    report(api, alma, published)
    (item,) = api.queue(bruno)
    assert api.decide(bruno, item, "reject").status_code == 200
    assert api.fate(alma, published) == ("rejected", "spam")
    detail = api.call("GET", f"/api/v1/queue/{item['id']}", bruno.key).get_json()
    assert [one["outcome"] for one in detail["readers_reports"]] == ["upheld"]


def test_a_report_after_the_decision_comes_back_as_a_new_item(
    api: Api, alma: NewSite, bruno: NewModerator, published: str
) -> None:
    report(api, alma, published)
    (first,) = api.queue(bruno)
    api.decide(bruno, first, "approve")
    assert api.queue(bruno) == []
    report(api, alma, published, "r2")
    (second,) = api.queue(bruno)
    assert second["id"] != first["id"]
    assert (second["previous_id"], second["reports"]) == (first["id"], 1)


@pytest.mark.parametrize("action", ["approve", "reject"])
def test_undoing_the_decision_opens_the_same_item_and_the_reports_again(
    api: Api, alma: NewSite, bruno: NewModerator, published: str, action: str
) -> None:
    report(api, alma, published)
    (item,) = api.queue(bruno)
    decision = api.decide(bruno, item, action).get_json()["decision"]["id"]
    answer = api.call("POST", f"/api/v1/decisions/{decision}/reversal", bruno.key)
    assert answer.status_code == 200, answer.text
    assert api.fate(alma, published)[0] == "approved"
    (again,) = api.queue(bruno)
    assert (again["id"], again["reports"]) == (item["id"], 1)
    detail = api.call("GET", f"/api/v1/queue/{item['id']}", bruno.key).get_json()
    assert [one["outcome"] for one in detail["readers_reports"]] == [None]


def test_a_site_says_how_many_reports_ask_for_a_person(
    api: Api, database: Database, bruno: NewModerator, drain: Drain
) -> None:
    site = make_site(database, report_limit=2)
    comment_id = api.hand_in(site, "score:spam=0.01")["id"]
    drain()
    report(api, site, comment_id)
    assert api.queue(bruno) == []
    report(api, site, comment_id, "r2")
    assert [item["reports"] for item in api.queue(bruno)] == [2]


def test_a_site_may_want_no_reports(api: Api, database: Database, bruno: NewModerator, drain: Drain) -> None:
    site = make_site(database, report_limit=0)
    comment_id = api.hand_in(site, "score:spam=0.01")["id"]
    drain()
    assert report(api, site, comment_id).status_code == 202
    assert api.queue(bruno) == []


def test_the_authors_edit_and_withdrawal_close_the_item(
    api: Api, alma: NewSite, bruno: NewModerator, published: str
) -> None:
    report(api, alma, published)
    api.call("DELETE", f"/api/v1/comments/{published}", alma.secret_key)
    assert api.queue(bruno) == []


def test_only_what_is_shown_can_be_reported(
    api: Api, alma: NewSite, bruno: NewModerator, drain: Drain
) -> None:
    comment_id = api.hand_in(alma, "score:spam=0.999")["id"]
    assert report(api, alma, comment_id).status_code == 409
    drain()
    assert report(api, alma, comment_id).status_code == 409


def test_another_sites_comment_is_not_there(
    api: Api, database: Database, alma: NewSite, published: str
) -> None:
    assert report(api, make_site(database), published).status_code == 404


def test_a_page_reports_with_the_public_key_and_cannot_say_who_it_is(
    api: Api, alma: NewSite, bruno: NewModerator, published: str
) -> None:
    path = f"/api/v1/comments/{published}/reports"
    headers = {"X-Site-Key": alma.public_key, "Origin": ORIGIN}
    for name in ("a", "b"):
        sent = api.call("POST", path, headers=headers, json={"reason": "insult", "reporter": name})
        assert sent.status_code == 202
    assert api.queue(bruno)[0]["reports"] == 1
    foreign = api.call(
        "POST", path, headers=headers | {"Origin": "https://x.example"}, json={"reason": "insult"}
    )
    assert foreign.status_code == 403


def test_the_reporter_is_kept_as_a_digest(
    api: Api, database: Database, alma: NewSite, published: str
) -> None:
    report(api, alma, published, "reader@example.org")
    with database.read() as session:
        kept = session.connection().exec_driver_sql("SELECT reporter FROM reports").scalar_one()
    assert "reader" not in kept


@pytest.mark.parametrize("sent", [{}, {"reason": "Not A Code"}, {"reason": "spam", "more": 1}])
def test_a_report_that_cannot_be_used_says_why(api: Api, alma: NewSite, published: str, sent: Any) -> None:
    answer = api.call("POST", f"/api/v1/comments/{published}/reports", alma.secret_key, json=sent)
    assert answer.status_code == 422
    assert answer.get_json()["errors"]
