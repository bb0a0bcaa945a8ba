"""GET /api/v1/queue/{id}: what a moderator is told beside the comment itself"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from moderation.database import Database
from moderation.scoring import words_of
from moderation.services.access import NewModerator, NewSite
from moderation.services.following import follow_decisions
from tests.conftest import Api, make_site

Drain = Callable[[], int]
OFFER = "buy these golden watches and leather wallets in our little shop by the harbour {}"
AUTHOR = {"name": "Ines", "email": "Ines@example.org"}


@pytest.fixture
def settle(drain: Drain, database: Database) -> Callable[[], None]:
    """Let the worker judge what waits, and the sweeper follow it up."""

    def settle() -> None:
        drain()
        with database.write() as session:
            follow_decisions(session, words_of, datetime.now(UTC) + timedelta(minutes=1), 1000)

    return settle


Settle = Callable[[], None]


def detail(api: Api, who: NewModerator, comment_id: str) -> Any:
    (item,) = [item for item in api.queue(who) if item["comment"]["id"] == comment_id]
    answer = api.call("GET", f"/api/v1/queue/{item['id']}", who.key)
    assert answer.status_code == 200
    return answer.get_json()


def test_the_three_nearest_decided_comments_come_best_first_with_who_decided_and_when(
    api: Api, alma: NewSite, bruno: NewModerator, settle: Settle
) -> None:
    rejected = api.hand_in(alma, "score:spam=0.6 " + OFFER.format("today"), author=AUTHOR)["id"]
    settle()
    (item,) = api.queue(bruno)
    decision = api.decide(bruno, item, "reject").get_json()["decision"]
    api.hand_in(alma, "golden watches and leather wallets are what I like", thread={"id": "another"})
    api.hand_in(alma, "score:spam=0.95 " + OFFER.format("now or never"))
    api.hand_in(alma, "nothing of the kind")
    settle()
    held = api.hand_in(alma, "score:spam=0.6 " + OFFER.format("tomorrow"))["id"]
    settle()
    similar = detail(api, bruno, held)["similar"]
    shares = [one["similarity"] for one in similar]
    assert shares == sorted(shares, reverse=True)
    assert [one["status"] for one in similar] == ["rejected", "rejected", "approved"]
    assert {one["decided_by"]["kind"] for one in similar} == {"moderator", "policy"}
    (first,) = [one for one in similar if one["comment_id"] == rejected]
    assert first["decided_by"] == {"kind": "moderator", "name": "Bruno"}
    assert (first["decision_id"], first["decided_at"]) == (decision["id"], decision["at"])
    assert (first["author"], first["reason"]) == ("Ines", "spam")
    assert first["body"] == "score:spam=0.6 " + OFFER.format("today")


def test_neither_held_comments_nor_those_of_other_sites_are_among_the_nearest(
    api: Api, alma: NewSite, bruno: NewModerator, settle: Settle, database: Database
) -> None:
    api.hand_in(make_site(database), OFFER.format("elsewhere"))
    api.hand_in(alma, "score:spam=0.6 " + OFFER.format("held as well"))
    held = api.hand_in(alma, "score:spam=0.6 " + OFFER.format("held"))["id"]
    settle()
    assert detail(api, bruno, held)["similar"] == []


def test_a_comment_withdrawn_or_held_again_is_no_longer_among_them(
    api: Api, alma: NewSite, bruno: NewModerator, settle: Settle
) -> None:
    published = api.hand_in(alma, OFFER.format("one"))["id"]
    settle()
    held = api.hand_in(alma, "score:spam=0.6 " + OFFER.format("two"))["id"]
    settle()
    assert [one["comment_id"] for one in detail(api, bruno, held)["similar"]] == [published]
    api.call("DELETE", f"/api/v1/comments/{published}", alma.secret_key)
    assert detail(api, bruno, held)["similar"] == []


def test_the_finding_names_the_decision_it_goes_back_to(
    api: Api, alma: NewSite, bruno: NewModerator, settle: Settle
) -> None:
    api.hand_in(alma, "score:spam=0.6 " + OFFER.format("today"))
    settle()
    decision = api.decide(bruno, api.queue(bruno)[0], "reject").get_json()["decision"]
    held = api.hand_in(alma, OFFER.format("tomorrow"))["id"]
    settle()
    found = detail(api, bruno, held)
    (finding,) = found["findings"]
    assert (finding["rule"], finding["decision_id"]) == ("near_copies", decision["id"])
    assert found["why"][0].startswith("near-copy of a comment rejected as spam seconds earlier (")


def test_why_says_in_words_what_is_known_beside_what_holds(
    api: Api, alma: NewSite, bruno: NewModerator, settle: Settle
) -> None:
    held = api.hand_in(alma, "score:toxicity=0.8 see https://new.example/", author=AUTHOR)["id"]
    settle()
    assert detail(api, bruno, held)["why"] == [
        "toxicity 0.80, held from 0.50",
        "link to a domain never seen here",
        "first comment of this author",
    ]


def test_the_authors_past_has_counts_the_first_time_and_the_latest_decisions(
    api: Api, alma: NewSite, bruno: NewModerator, settle: Settle
) -> None:
    first = api.hand_in(alma, "a kind word", author=AUTHOR)
    for number in range(3):
        api.hand_in(alma, f"score:insult=0.95 rude {number}", author=AUTHOR)
    held = api.hand_in(alma, "score:spam=0.6 hello", author=AUTHOR | {"email": "ines@EXAMPLE.org"})["id"]
    settle()
    found = detail(api, bruno, held)
    seen = api.call("GET", f"/api/v1/comments/{first['id']}", alma.secret_key).get_json()["created_at"]
    assert found["author_history"] == {"approved": 1, "rejected": 3}
    past = found["author_past"]
    assert (past["first_seen"], past["rejected_share"]) == (seen, 0.75)
    assert [one["status"] for one in past["latest"]] == ["rejected"] * 3 + ["approved"]
    assert past["latest"][0]["body"] == "score:insult=0.95 rude 2"
    assert past["latest"][0]["decided_by"] == {"kind": "policy", "name": "policy"}


def test_of_an_author_who_is_only_a_name_nothing_is_known(
    api: Api, alma: NewSite, bruno: NewModerator, settle: Settle
) -> None:
    held = api.hand_in(alma, "score:spam=0.6 hello")["id"]
    settle()
    found = detail(api, bruno, held)
    assert (found["author_past"], found["author_history"]) == (None, {})


def test_the_comment_answered_is_told_with_what_became_of_it_and_so_is_what_came_after(
    api: Api, alma: NewSite, bruno: NewModerator, settle: Settle
) -> None:
    parent = api.hand_in(alma, "score:insult=0.95 you fool", author=AUTHOR)["id"]
    api.hand_in(alma, "before")
    held = api.hand_in(alma, "score:spam=0.6 an answer", parent_id=parent)["id"]
    for word in ("one", "two", "three", "four"):
        api.hand_in(alma, f"after {word}")
    settle()
    found = detail(api, bruno, held)
    told = found["parent"]
    assert (told["comment_id"], told["author"], told["status"]) == (parent, "Ines", "rejected")
    assert told["body"] == "score:insult=0.95 you fool"
    assert [one["body"] for one in found["thread_context"]] == ["before"]
    assert [one["body"] for one in found["thread_after"]] == ["after one", "after two", "after three"]


def test_a_comment_that_answers_none_has_no_parent(
    api: Api, alma: NewSite, bruno: NewModerator, settle: Settle
) -> None:
    held = api.hand_in(alma, "score:spam=0.6 hello")["id"]
    settle()
    assert detail(api, bruno, held)["parent"] is None
