"""POST /api/v1/comments/batch"""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from moderation.api.comment_batch import BATCH_BYTES
from moderation.database import Database
from moderation.models import Comment, IdempotencyKey
from moderation.services.access import NewSite
from tests.conftest import Api
from tests.fakes import FakeWakeUps

PATH = "/api/v1/comments/batch"


def comment(body: str = "A kind word.", **more: Any) -> dict[str, Any]:
    return {"thread": {"id": "first-post"}, "author": {"name": "Reader"}, "body": body} | more


def post(api: Api, site: NewSite, *comments: Any, key: str | None = None) -> TestResponse:
    headers = {"Idempotency-Key": key} if key else {}
    return api.call("POST", PATH, site.secret_key, json={"comments": comments}, headers=headers)


def results(answer: TestResponse) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.get_json()["results"]
    return found


def count(database: Database, table: type) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_hundred_comments_are_stored_and_decided(
    api: Api, alma: NewSite, wake_ups: FakeWakeUps, drain: Callable[[], int]
) -> None:
    found = results(post(api, alma, *(comment(f"kind word {n}") for n in range(100))))
    assert [one["index"] for one in found] == list(range(100))
    assert {one["status"] for one in found} == {202}
    assert len({one["id"] for one in found}) == 100
    assert wake_ups.scoring == 1
    assert drain() == 100
    assert api.fate(alma, found[99]["id"]) == ("approved", "clean")
    assert api.call("GET", f"{found[0]['links']['self']}?receipt={found[0]['receipt']}").status_code == 200
    assert api.call("GET", found[0]["links"]["thread"], alma.public_key).status_code == 200


def test_one_that_cannot_be_used_does_not_fail_its_neighbours(
    api: Api, alma: NewSite, database: Database
) -> None:
    taken = api.hand_in(alma, external_id="wp-1")["id"]
    found = results(
        post(
            api,
            alma,
            comment("first"),
            comment(""),
            "no comment at all",
            comment("reply to nobody", parent_id="c_nobody"),
            comment("again", external_id="wp-1"),
            comment("last"),
        )
    )
    assert [one["status"] for one in found] == [202, 422, 422, 422, 409, 202]
    assert found[1]["problem"]["errors"][0]["pointer"] == "/body"
    assert found[3]["problem"]["type"] == "urn:greenroom:problem:parent-not-found"
    assert found[4]["problem"]["comment_id"] == taken
    assert count(database, Comment) == 3


def test_of_two_with_one_external_id_the_first_is_stored(api: Api, alma: NewSite, database: Database) -> None:
    first, second = results(post(api, alma, comment(external_id="wp-1"), comment(external_id="wp-1")))
    assert (first["status"], second["status"]) == (202, 409)
    assert second["problem"]["comment_id"] == first["id"]
    assert count(database, Comment) == 1


def test_the_same_key_gives_the_same_comments_and_tries_the_refused_ones_again(
    api: Api, alma: NewSite, database: Database
) -> None:
    later = comment("a reply", parent_id="c_later")
    first = results(post(api, alma, comment("one"), later, comment("two"), key="import-1"))
    again = results(post(api, alma, comment("one"), later, comment("two"), key="import-1"))
    assert [one.get("id") for one in again] == [one.get("id") for one in first]
    assert [one.get("replayed") for one in again] == [True, None, True]
    assert (count(database, Comment), count(database, IdempotencyKey)) == (2, 3)


def test_the_same_key_for_another_request_is_422_and_stores_nothing(
    api: Api, alma: NewSite, database: Database
) -> None:
    post(api, alma, comment("one"), key="import-1")
    answer = post(api, alma, comment("another"), comment("two"), key="import-1")
    assert (answer.status_code, answer.get_json()["type"]) == (422, "urn:greenroom:problem:key-reused")
    single = api.call(
        "POST",
        "/api/v1/comments",
        alma.secret_key,
        json=comment("one"),
        headers={"Idempotency-Key": "import-1"},
    )
    assert single.status_code == 422
    assert count(database, Comment) == 1


@pytest.mark.parametrize("number", [0, 101])
def test_it_takes_one_to_a_hundred(api: Api, alma: NewSite, number: int) -> None:
    answer = post(api, alma, *(comment() for _ in range(number)))
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, "/comments")


def test_a_hundred_of_the_longest_comments_fit_and_more_bytes_are_413(api: Api, alma: NewSite) -> None:
    assert {one["status"] for one in results(post(api, alma, *[comment("x" * 20_000)] * 100))} == {202}
    answer = post(api, alma, comment("x" * BATCH_BYTES))
    assert (answer.status_code, answer.get_json()["type"]) == (413, "urn:greenroom:problem:too-large")


def test_a_public_key_is_the_wrong_one(api: Api, alma: NewSite) -> None:
    answer = api.call("POST", PATH, alma.public_key, json={"comments": [comment()]})
    assert (answer.status_code, answer.get_json()["type"]) == (403, "urn:greenroom:problem:wrong-role")
