"""kill -9 of each process at its worst moment"""

from typing import Any

import pytest
from sqlalchemy import select

from moderation.models import Comment
from tests.faults.apart import FOUR_LINKS, KIND, Answer, Apart

pytestmark = pytest.mark.processes


def test_the_web_server_is_killed_between_commit_and_wake_up(service: Apart) -> None:
    service.start("worker")
    service.wait_until_idle()
    before = stored_but_not_accepted(service)
    service.arm("web.stored", "kill")
    assert service.post(KIND.format("commit", 1, "killed"), key="killed-after-commit").status == 0
    service.wait_for_death("web", "web.stored")
    # Stored, though the answer never came: decided even if the reader does not try again.
    service.assert_recovers()
    (unanswered,) = stored_but_not_accepted(service) - before
    service.start_missing()
    again = service.post(KIND.format("commit", 1, "killed"), key="killed-after-commit")
    assert (again.status, again.body["id"]) == (202, unanswered)
    service.assert_recovers()


def test_the_web_server_is_killed_before_the_commit(service: Apart) -> None:
    service.start("worker")
    before = stored_but_not_accepted(service)
    service.arm("web.storing", "kill")
    assert service.post(KIND.format("start", 1, "killed"), key="killed-before-commit").status == 0
    service.wait_for_death("web", "web.storing")
    assert stored_but_not_accepted(service) == before
    service.start_missing()
    assert service.post(KIND.format("start", 1, "killed"), key="killed-before-commit").status == 202
    service.assert_recovers()


@pytest.mark.parametrize("point", ["worker.took", "worker.recording", "worker.recorded"])
def test_a_worker_is_killed(service: Apart, point: str) -> None:
    """Before it scored the batch; before the commit of its decisions; after it, before the job's end."""
    service.take_in(12, f"killed {point}")
    service.arm(point, "kill")
    service.start("worker")
    service.wait_for_death("worker", point)
    service.take_in(3, f"after {point}")
    service.start("worker")
    service.assert_recovers()


def test_the_sweeper_is_killed_and_nobody_else_knows_of_a_comment(service: Apart) -> None:
    service.start("worker")
    service.wait_until_idle()
    service.arm("sweeper.waking", "kill")
    service.wait_for_death("sweeper", "sweeper.waking")
    service.arm("web.stored", "kill")
    service.post(KIND.format("broom", 1, "killed"))
    service.wait_for_death("web", "web.stored")
    # The worker is alive, but was never woken: it takes a sweeper to find the comment.
    assert service.pending() == 1
    service.start("sweeper")
    service.assert_recovers()


def test_the_web_server_is_killed_while_a_moderator_decides(service: Apart) -> None:
    service.start("worker")
    held = service.post(FOUR_LINKS).body["id"]
    service.assert_recovers()
    assert service.standing(held)[0] == "held"
    item = open_item(service, held)
    service.arm("web.deciding", "kill")
    assert decide(service, item).status == 0
    service.wait_for_death("web", "web.deciding")
    service.assert_recovers()
    assert service.standing(held)[0] == "held"
    service.start_missing()
    # As it was, so the moderator's page is not stale.
    assert decide(service, item).status == 200
    assert decide(service, item).status == 412
    service.assert_recovers()


def open_item(service: Apart, comment_id: str) -> dict[str, Any]:
    """The comment's item in the queue."""
    items = service.call("GET", "/api/v1/queue?limit=100", service.person.key).body["items"]
    found: dict[str, Any] = next(item for item in items if item["comment"]["id"] == comment_id)
    return found


def decide(service: Apart, item: dict[str, Any]) -> Answer:
    """Reject it as spam, as seen."""
    path, seen = f"/api/v1/queue/{item['id']}/decision", {"If-Match": f'"{item["version"]}"'}
    return service.call("POST", path, service.person.key, {"action": "reject", "reason": "spam"}, seen)


def stored_but_not_accepted(service: Apart) -> set[str]:
    """Comments whose 202 never reached anybody."""
    with service.database.read() as session:
        return set(session.scalars(select(Comment.id))) - service.accepted
