"""The statuses and the table of transitions."""

import pytest

from moderation.domain.status import ACTION_FOR, LEADS_TO, TRANSITIONS, Action, Status, may

# The table as DESIGN states it: status -> the statuses it may turn into.
TABLE = {
    Status.PENDING: {Status.APPROVED, Status.HELD, Status.REJECTED, Status.PENDING, Status.REMOVED},
    Status.HELD: {Status.APPROVED, Status.REJECTED, Status.PENDING, Status.REMOVED},
    Status.APPROVED: {Status.HELD, Status.REJECTED, Status.PENDING, Status.REMOVED},
    Status.REJECTED: {Status.HELD, Status.APPROVED, Status.PENDING, Status.REMOVED},
    Status.REMOVED: set(),
}


def test_the_table_knows_every_status() -> None:
    assert set(TRANSITIONS) == set(Status) == set(TABLE)


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("action", Action)
def test_only_what_the_table_allows_is_allowed(status: Status, action: Action) -> None:
    assert may(status, action) is (LEADS_TO[action] in TABLE[status])


def test_every_action_leads_to_one_status_and_back() -> None:
    assert set(LEADS_TO) == set(Action)
    assert set(LEADS_TO.values()) == set(Status) == set(ACTION_FOR)
    assert all(ACTION_FOR[LEADS_TO[action]] is action for action in Action)
