"""The gauges: read from the database when asked, but not what is dear to count."""

from datetime import UTC, datetime, timedelta

import pytest

from moderation import gauges
from moderation.database import Database
from tests.conftest import Api
from tests.fakes import FakeWakeUps
from tests.past import keep_alarm


def test_comments_are_counted_again_only_when_counting_them_was_cheap(
    database: Database, wake_ups: FakeWakeUps, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, counts = [0.0], iter([{"held": 1}, {"held": 2}, {"held": 3}])

    def two_seconds(_: object) -> dict[str, int]:
        clock[0] += 2.0
        return next(counts)

    monkeypatch.setattr(gauges, "monotonic", lambda: clock[0])
    monkeypatch.setattr(gauges, "status_counts", two_seconds)
    truth = gauges.Truth(database, wake_ups)  # type: ignore[arg-type]
    told = []
    for pause in (0.0, 10.0, 150.0, 60.0):
        clock[0] += pause
        with database.read() as session:
            told.append(truth.statuses(session)["held"])
    # Two seconds of counting are followed by two hundred without.
    assert told == [1, 1, 1, 2]


def test_drift_is_told_while_its_last_look_is_fresh(api: Api, database: Database) -> None:
    def told() -> list[str]:
        lines = api.call("GET", "/metrics").text.splitlines()
        return [line for line in lines if line.startswith(("greenroom_score_drift", "greenroom_drift"))]

    assert told() == []
    keep_alarm(database, "fake-1", datetime.now(UTC) - timedelta(hours=4))
    assert told() == []
    keep_alarm(database, "fake-1", datetime.now(UTC))
    index, alarms = told()
    assert index.startswith('greenroom_score_drift{category="spam"} ')
    assert alarms == "greenroom_drift_alarms 1.0"
