"""GET /api/v1/comments/{id}"""

from collections.abc import Callable

from moderation.database import Database
from moderation.services.access import NewModerator, NewSite
from tests.conftest import ORIGIN, Api, make_site

PATH = "/api/v1/comments"


def test_it_tells_the_site_what_became_of_a_comment(
    api: Api, alma: NewSite, drain: Callable[[], int]
) -> None:
    comment_id = api.hand_in(alma, "score:spam=0.95", external_id="wp-7")["id"]
    pending = api.call("GET", f"{PATH}/{comment_id}", alma.secret_key).get_json()
    assert (pending["status"], pending["reason"], pending["decided_at"]) == ("pending", None, None)
    assert pending["decision"] is None
    drain()
    decided = api.call("GET", f"{PATH}/{comment_id}", alma.secret_key).get_json()
    assert (decided["status"], decided["reason"]) == ("rejected", "spam")
    assert decided["decided_at"].endswith("Z")
    assert decided["decision"].items() >= {"action": "reject", "reason": "spam", "actor": "policy"}.items()
    assert (decided["external_id"], decided["thread"]["id"]) == ("wp-7", "first-post")


def test_it_shows_neither_address_nor_mail_of_the_author(api: Api, alma: NewSite) -> None:
    author = {"name": "Reader", "email": "reader@example.org", "ip": "203.0.113.9", "user_agent": "Browser"}
    new = api.hand_in(alma, author=author)
    found = api.call("GET", f"{PATH}/{new['id']}?receipt={new['receipt']}").get_json()
    assert found["author"] == {"name": "Reader"}


def test_the_receipt_is_enough(api: Api, alma: NewSite) -> None:
    new = api.hand_in(alma)
    answer = api.call("GET", f"{PATH}/{new['id']}?receipt={new['receipt']}")
    assert (answer.status_code, answer.get_json()["status"]) == (200, "pending")


def test_a_wrong_receipt_is_404_like_a_comment_that_is_not_there(api: Api, alma: NewSite) -> None:
    new, other = api.hand_in(alma), api.hand_in(alma)
    paths = [
        f"{new['id']}?receipt={other['receipt']}",
        f"{new['id']}?receipt=",
        f"{new['id']}?receipt=%ED%A0%80%FF",
        f"c_nothing?receipt={new['receipt']}",
    ]
    for path in paths:
        answer = api.call("GET", f"{PATH}/{path}")
        assert (answer.status_code, answer.get_json()["detail"]) == (404, "no such comment")


def test_a_wrong_receipt_is_not_made_good_by_a_key(api: Api, alma: NewSite) -> None:
    new = api.hand_in(alma)
    assert api.call("GET", f"{PATH}/{new['id']}?receipt=x", alma.secret_key).status_code == 404


def test_another_sites_comment_is_404(api: Api, alma: NewSite, database: Database) -> None:
    stranger = make_site(database)
    comment_id = api.hand_in(alma)["id"]
    assert api.call("GET", f"{PATH}/{comment_id}", stranger.secret_key).status_code == 404
    assert api.call("GET", f"{PATH}/c_nothing", alma.secret_key).status_code == 404


def test_the_public_key_is_not_enough(api: Api, alma: NewSite) -> None:
    headers = {"X-Site-Key": alma.public_key, "Origin": ORIGIN}
    comment_id = api.hand_in(alma)["id"]
    assert api.call("GET", f"{PATH}/{comment_id}", headers=headers).status_code == 403


def test_nobodys_key_is_401(api: Api, alma: NewSite) -> None:
    comment_id = api.hand_in(alma)["id"]
    assert api.call("GET", f"{PATH}/{comment_id}").status_code == 401
    assert api.call("GET", f"{PATH}/{comment_id}", "gr_secret_nobody").status_code == 401


def test_a_moderator_may_look_at_any_comment(api: Api, alma: NewSite, bruno: NewModerator) -> None:
    comment_id = api.hand_in(alma)["id"]
    assert api.call("GET", f"{PATH}/{comment_id}", bruno.key).get_json()["id"] == comment_id


def test_it_is_304_until_something_happened(api: Api, alma: NewSite, drain: Callable[[], int]) -> None:
    path = f"{PATH}/{api.hand_in(alma)['id']}"
    tag = api.call("GET", path, alma.secret_key).headers["ETag"]
    again = api.call("GET", path, alma.secret_key, headers={"If-None-Match": tag})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    drain()
    changed = api.call("GET", path, alma.secret_key, headers={"If-None-Match": tag})
    assert (changed.status_code, changed.get_json()["status"]) == (200, "approved")
    assert changed.headers["ETag"] != tag
