"""The history: what was decided, searched and taken back."""

import html
import re

import pytest

from moderation.console import history_pages
from moderation.services.access import NewModerator, NewSite
from tests.conftest import Api
from tests.console.conftest import Console, Held

PATH = "/console/history"


@pytest.fixture
def decided(api: Api, console: Console, held: Held, carla: NewModerator) -> None:
    """Bruno rejected apples, Carla approved pears."""
    console.decide(held("score:spam=0.70 apples", author={"name": "Ines"}), "reject", reason="spam")
    api.decide(carla, held("score:spam=0.70 pears", author={"name": "Otto"}), "approve")


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", {"apples", "pears"}),
        ("?q=APPLES", {"apples"}),
        ("?moderator=Carla", {"pears"}),
        ("?status=rejected", {"apples"}),
        ("?reason=clean", {"pears"}),
        ("?author=otto", {"pears"}),
        ("?by=policy", {"apples", "pears"}),
        ("?by=policy&status=approved", set()),
        ("?site=site_x", set()),
        ("?q=%25", set()),
    ],
)
def test_a_search_finds_what_it_names(console: Console, decided: None, query: str, shown: set[str]) -> None:
    page = console.get(PATH + query)
    assert {word for word in ("apples", "pears") if f"0.70 {word}" in page} == shown


def test_an_empty_history_says_so(console: Console) -> None:
    assert "Nothing was decided." in console.get(PATH)


def test_a_decision_is_taken_back_from_here_while_it_stands(
    api: Api, alma: NewSite, console: Console, decided: None, bruno: NewModerator
) -> None:
    page = console.get(f"{PATH}?q=apples")
    console.undo(page)
    assert [item["comment"]["body"] for item in api.queue(bruno)] == ["score:spam=0.70 apples"]
    again = console.get(f"{PATH}?q=apples")
    assert "held now" in again and 'class="undo"' not in again


def test_older_decisions_are_a_page_away(
    console: Console, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_pages, "PAGE", 2)
    for word in ("apples", "pears", "plums"):
        console.decide(held(f"score:spam=0.70 {word}"), "reject", reason="spam")
    first = console.get(PATH)
    assert ("plums" in first, "apples" in first) == (True, False)
    older = re.search(r'href="([^"]+)">Older', first)
    assert older is not None
    second = console.get(html.unescape(older[1]))
    assert ("plums" in second, "apples" in second, "Older" in second) == (False, True, False)


@pytest.mark.parametrize("query", ["?by=nonsense", "?status=x", "?reason=%3Cb%3E", "?q=" + "x" * 201])
def test_a_search_that_cannot_be_is_told(console: Console, query: str) -> None:
    assert console.client.get(PATH + query).status_code == 422
