"""Several at once: POST /console/batches and its undo."""

from moderation.services.access import NewModerator, NewSite
from tests.conftest import Api
from tests.console.conftest import Console, Held


def ticks(*items: dict) -> list[str]:  # type: ignore[type-arg]
    return [f"{item['id']}:{item['version']}" for item in items]


def test_all_that_was_ticked_is_decided_with_one_undo(
    api: Api, alma: NewSite, console: Console, held: Held, bruno: NewModerator
) -> None:
    items = [held(f"score:spam=0.7 {n}") for n in range(3)]
    page = console.follow(
        console.send("/console/batches", action="reject", reason="spam", item=ticks(*items[:2]))
    )
    assert "2 rejected as spam." in page
    assert [api.fate(alma, item["comment"]["id"])[0] for item in items] == ["rejected", "rejected", "held"]
    page = console.follow(console.undo(page))
    assert "2 taken back." in page
    assert len(api.queue(bruno)) == 3


def test_what_changed_meanwhile_is_left_and_told(
    api: Api, console: Console, held: Held, carla: NewModerator
) -> None:
    items = [held(f"score:spam=0.7 {n}") for n in range(2)]
    api.decide(carla, items[0], "approve")
    page = console.follow(console.send("/console/batches", action="approve", item=ticks(*items)))
    assert "1 approved; 1 was left as it is, because something changed." in page


def test_nothing_ticked_is_told(console: Console) -> None:
    answer = console.send("/console/batches", action="approve")
    assert answer.status_code == 422
    assert "Tick those you mean first" in answer.text


def test_ticks_that_are_none_decide_nothing(
    console: Console, held: Held, api: Api, bruno: NewModerator
) -> None:
    item = held()
    page = console.follow(
        console.send("/console/batches", action="approve", item=[f"{item['id']}:x", "nonsense", ":1"])
    )
    assert "0 approved; 3 were left" in page
    assert len(api.queue(bruno)) == 1
