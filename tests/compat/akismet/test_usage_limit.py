"""GET and POST /1.2/usage-limit"""

import pytest

from tests.compat.akismet.conftest import SPAM, Door, answer, plain


def test_it_tells_how_much_was_asked_and_that_there_is_no_limit(door: Door) -> None:
    door.check(SPAM)
    door.check("A kind word.")
    said = door.call("/1.2/usage-limit")
    expected = b'{"limit":"none","usage":2,"percentage":"0.00","throttled":false}'
    assert answer(said) == (200, "application/json", expected)


@pytest.mark.parametrize("word", ["true", "1"])
def test_extended_it_tells_of_no_notice_and_no_upgrade(door: Door, word: str) -> None:
    said = door.client.get(f"/1.2/usage-limit?api_key={door.site.akismet_key}&extended={word}")
    assert said.get_json() == {
        "limit": "none",
        "usage": 0,
        "percentage": "0.00",
        "throttled": False,
        "notice_level": 0,
        "upgrade": False,
    }


def test_tests_are_not_counted(door: Door) -> None:
    door.check(SPAM, is_test="1")
    assert door.call("/1.2/usage-limit").get_json()["usage"] == 0


def test_a_bad_key_is_invalid(door: Door) -> None:
    assert answer(door.client.get("/1.2/usage-limit?api_key=aaaabbbbcccc")) == plain("invalid")
    assert answer(door.client.get("/1.2/usage-limit")) == plain("invalid")
