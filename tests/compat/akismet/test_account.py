"""/1.1/deactivate, token, test, get-stats and get-subscription"""

import pytest

from tests.compat.akismet.conftest import SPAM, Door, answer, plain


def test_deactivating_is_said_to_be_done(door: Door) -> None:
    assert answer(door.call("/1.1/deactivate")) == plain("deactivated")
    assert answer(door.call("/1.1/deactivate", api_key="aaaabbbbcccc")) == plain("invalid")
    assert answer(door.check("A kind word.")) == plain("false")


def test_wordpress_learns_that_it_is_connected(door: Door) -> None:
    assert answer(door.client.get("/1.1/test")) == plain("connected")
    assert answer(door.client.post("/1.1/test")) == plain("connected")


def test_there_are_no_tokens(door: Door) -> None:
    assert answer(door.call("/1.1/token")) == plain("invalid")


def test_the_subscription_is_active(door: Door) -> None:
    assert door.call("/1.1/get-subscription").get_json()["status"] == "active"
    assert answer(door.call("/1.1/get-subscription", api_key="x")) == plain("invalid")


def test_the_figures_are_those_of_the_database(door: Door) -> None:
    for text in (SPAM, "One.", "Two.", "Three."):
        door.check(text)
    door.say_spam("One.")
    for since in ("6-months", "all"):
        found = door.call("/1.1/get-stats", **{"from": since}).get_json()
        (month,) = found.pop("breakdown").values()
        expected = {"spam": 1, "ham": 3, "missed_spam": 1, "false_positives": 0, "accuracy": 75.0}
        assert found == expected | {"time_saved": 0}
        assert month == expected
    assert answer(door.call("/1.1/get-stats", api_key="x")) == plain("invalid")


def test_without_any_check_nothing_was_wrong(door: Door) -> None:
    assert door.call("/1.1/get-stats").get_json()["accuracy"] == 100


@pytest.mark.parametrize(
    "path", ["/1.1/get-subscription", "/1.1/get-stats", "/1.1/deactivate", "/1.1/verify-key"]
)
def test_wordpress_asks_about_a_new_key_while_an_old_one_is_stored(door: Door, path: str) -> None:
    new, old = door.site.akismet_key, "aaaabbbbcccc"
    assert door.call(path, key=new, api_key=old).data != b"invalid"
    assert answer(door.call(path, key=old, api_key=new)) == plain("invalid")
