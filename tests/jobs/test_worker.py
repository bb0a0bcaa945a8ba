"""The worker around the jobs: what it says of a job that failed."""

from types import SimpleNamespace
from typing import Any

import pytest

from workers.worker import GreenroomWorker

TEXT = "a comment nobody else should read"


def test_a_failed_job_is_told_by_the_kind_of_its_error_alone(caplog: pytest.LogCaptureFixture) -> None:
    job: Any = SimpleNamespace(id="job-1", origin="retraining")
    error = ValueError(TEXT)
    GreenroomWorker.handle_exception(None, job, ValueError, error, None)  # type: ignore[arg-type]
    (record,) = caplog.records
    assert record.getMessage() == "the job failed (ValueError)"
    assert (record.__dict__["job_id"], record.__dict__["queue"]) == ("job-1", "retraining")
    assert TEXT not in str(record.__dict__)
