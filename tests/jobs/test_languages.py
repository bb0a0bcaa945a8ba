"""The sweeper reads the languages of what waits for a person"""

from collections.abc import Callable

import pytest

from moderation.database import Database
from moderation.services.access import NewModerator, NewSite
from moderation.settings import Settings
from tests.conftest import Api, make_process
from tests.fakes import FakeScorer, FakeWakeUps
from workers.process import Process
from workers.sweeper import read_languages

GERMAN = "score:spam=0.7 Das ist ja wohl ein schlechter Witz, mein lieber Freund"
ENGLISH = "score:spam=0.7 This is a rather bad joke, my dear friend, is it not"


@pytest.fixture
def process(settings: Settings, database: Database) -> Process:
    return make_process(settings, database, FakeWakeUps(), FakeScorer())


def test_items_are_found_by_their_language(
    api: Api, alma: NewSite, bruno: NewModerator, drain: Callable[[], int], process: Process
) -> None:
    for body in (GERMAN, ENGLISH, "score:spam=0.7"):
        api.hand_in(alma, body)
    drain()
    before = api.queue(bruno)
    assert {item["language"] for item in before} == {None}
    read_languages(process)
    after = api.queue(bruno)
    assert [item["language"] for item in after][:2] == ["de", "en"]
    assert [item["version"] for item in after] == [item["version"] for item in before]
    assert [item["comment"]["body"] for item in api.queue(bruno, "?language=de")] == [GERMAN]
    assert api.queue(bruno, "?language=fr") == []
    assert api.call("GET", "/api/v1/queue?language=Deutsch", bruno.key).status_code == 422


def test_a_text_that_is_no_language_is_told_so_and_not_read_again(
    api: Api, alma: NewSite, bruno: NewModerator, drain: Callable[[], int], process: Process
) -> None:
    api.hand_in(alma, "see www.a.example www.b.example www.c.example www.d.example \U0001f600")
    drain()
    read_languages(process)
    (item,) = api.queue(bruno)
    assert item["language"] is not None
    read_languages(process)
    assert api.queue(bruno)[0]["language"] == item["language"]
