"""POST /1.1/submit-spam and /1.1/submit-ham"""

import pytest

from moderation.database import Database
from moderation.models import ImportedExample
from moderation.services.access import NewModerator
from moderation.services.labels import labelled_comments
from tests.compat.akismet.conftest import MAYBE, SPAM, Door, Kept, answer, plain
from tests.compat.akismet.test_comment_check import set_policy
from tests.conftest import ORIGIN, Api

THANKS = plain("Thanks for making the web a better place.")
WORD = "A kind word."


def test_missed_spam_becomes_a_label_and_a_decision_of_the_site(door: Door, kept: Kept) -> None:
    door.check(WORD)
    assert answer(door.say_spam(WORD)) == THANKS
    assert kept.labels() == [("spam", True, "akismet")]
    assert kept.comments() == [("rejected", "spam")]
    assert kept.decisions()[-1] == ("site", "reject", "spam")


def test_ham_called_spam_becomes_a_label_and_is_approved(door: Door, kept: Kept) -> None:
    door.check(SPAM)
    assert answer(door.say_ham(SPAM)) == THANKS
    assert kept.labels() == [("spam", False, "akismet")]
    assert kept.comments() == [("approved", "clean")]


def test_what_was_reported_is_answered_so_from_then_on(door: Door) -> None:
    door.check(WORD)
    door.say_spam(WORD)
    assert answer(door.check(WORD)) == plain("true")
    door.say_ham(WORD)
    assert answer(door.check(WORD)) == plain("false")


def test_the_opposite_retracts_what_was_said_first(door: Door, kept: Kept) -> None:
    door.check(WORD)
    door.say_spam(WORD)
    door.say_ham(WORD)
    assert kept.labels() == [("spam", False, "akismet")]
    assert kept.comments() == [("approved", "clean")]


def test_the_same_said_twice_is_learned_once(door: Door, kept: Kept) -> None:
    door.check(WORD)
    for _ in range(3):
        assert answer(door.say_spam(WORD)) == THANKS
    assert kept.labels() == [("spam", True, "akismet")]
    assert len(kept.decisions()) == 2


def test_it_is_found_by_the_id_of_the_answer_though_the_text_changed(door: Door, kept: Kept) -> None:
    guid = door.check(WORD).headers["X-akismet-guid"]
    door.say_spam("quite another text", guid=guid)
    assert kept.comments() == [("rejected", "spam")]
    assert kept.all(ImportedExample) == []


def test_it_is_found_though_spaces_and_case_changed(door: Door, kept: Kept) -> None:
    door.check(WORD)
    door.say_spam(" A  KIND word. ")
    assert kept.comments() == [("rejected", "spam")]


def test_another_sites_id_finds_nothing(door: Door, kept: Kept, database: Database) -> None:
    from tests.conftest import make_site

    other = Door(door.client, make_site(database))
    guid = other.check(WORD).headers["X-akismet-guid"]
    door.say_spam("my own text", guid=guid)
    assert kept.comments() == [("approved", "clean")]
    assert len(kept.all(ImportedExample)) == 1


def test_it_closes_the_item_in_the_queue(
    door: Door, kept: Kept, database: Database, api: Api, bruno: NewModerator
) -> None:
    set_policy(database, door.site, queue_spam_checks=True)
    door.check(MAYBE)
    (item,) = api.queue(bruno)
    door.say_ham(MAYBE)
    assert api.queue(bruno) == []
    stale = api.decide(bruno, item, "reject")
    assert stale.status_code == 412
    assert "the site" in stale.text


def test_a_moderator_may_take_it_back_and_then_it_teaches_nothing(
    door: Door, kept: Kept, api: Api, bruno: NewModerator
) -> None:
    from moderation.models import Decision

    door.check(WORD)
    door.say_spam(WORD)
    last = max(kept.all(Decision), key=lambda one: one.number)
    assert api.call("POST", f"/api/v1/decisions/{last.id}/reversal", bruno.key).status_code == 200
    assert kept.labels() == []
    assert kept.comments()[0][0] == "approved"


def test_a_comment_nobody_asked_about_becomes_an_example(door: Door, kept: Kept, database: Database) -> None:
    assert (
        answer(
            door.say_spam(
                "Buy this", comment_author_url="https://spam.example", comment_author_email="s@a.example"
            )
        )
        == THANKS
    )
    assert kept.comments() == []
    with database.read() as session:
        (learned,) = labelled_comments(session)
    assert learned.labels == {"spam": True}
    assert learned.source == "akismet"
    assert learned.weight == 0.75
    assert learned.comment["body"] == "Buy this"
    assert learned.comment["author"] == {
        "name": "Reader",
        "email": "s@a.example",
        "url": "https://spam.example",
    }


def test_the_opposite_about_an_example_retracts_the_first(door: Door, kept: Kept) -> None:
    door.say_spam("Buy this")
    door.say_ham("Buy this")
    assert kept.labels() == [("spam", False, "akismet")]


@pytest.mark.parametrize(
    "fields",
    [
        {"is_test": "true"},
        {"comment_author": "akismet-guaranteed-spam"},
        {"comment_author": "viagra-test-123"},
    ],
)
def test_a_test_teaches_nothing(door: Door, kept: Kept, fields: dict[str, str]) -> None:
    assert answer(door.say_spam("Buy this", **fields)) == THANKS
    assert answer(door.say_ham("Buy this", **fields)) == THANKS
    assert kept.nothing()


def test_a_test_does_not_touch_a_comment_that_is_known(door: Door, kept: Kept) -> None:
    door.check(WORD)
    door.say_spam(WORD, is_test="1")
    assert kept.labels() == []
    assert kept.comments() == [("approved", "clean")]


def test_nothing_is_learned_of_an_empty_text(door: Door, kept: Kept) -> None:
    assert answer(door.say_spam("")) == THANKS
    assert kept.labels() == []


@pytest.mark.parametrize("path", ["/1.1/submit-spam", "/1.1/submit-ham"])
def test_a_bad_key_a_missing_field_and_a_strange_blog_are_told_apart(
    door: Door, kept: Kept, path: str
) -> None:
    about = door.about(WORD)
    assert answer(door.call(path, about, api_key="aaaabbbbcccc")) == plain("invalid")
    assert answer(door.call(path, about, blog="https://evil.example")) == plain("invalid")
    del about["user_ip"]
    assert answer(door.call(path, about)) == plain("Missing required field: user_ip.")
    assert answer(door.client.get(f"{path}?api_key={door.site.akismet_key}&blog={ORIGIN}")) == plain(
        "Missing required field: comment_content."
    )
    assert kept.nothing()
