"""The whole service with its models in a real object store, whose client does not survive a fork."""

from pathlib import Path

import pytest

from tests.object_store import ObjectServer
from tests.processes.running import running_service, wait_until
from tests.processes.test_service import champion, taught, version_that_scores

pytestmark = pytest.mark.processes


def test_a_retraining_reaches_web_and_workers_through_the_store(
    object_server: ObjectServer, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    with running_service(home, MODELS_URL=object_server.url("service")) as service:
        maintainer = service.keys["moderator_key"]
        shipped = champion(service)
        assert version_that_scores(service, "before") == shipped
        assert service.send_lines("/api/v1/labels", maintainer, taught(300))[0] == 200
        _, run = service.call("POST", "/api/v1/retraining-runs", maintainer)
        path = f"/api/v1/retraining-runs/{run['id']}"
        wait_until(lambda: service.call("GET", path, maintainer)[1]["finished_at"] is not None)
        ended = service.call("GET", path, maintainer)[1]
        assert ended["status"] == "promoted", ended["reason"]
        assert champion(service) == ended["new_version"]
        wait_until(lambda: version_that_scores(service, "after") == ended["new_version"])
        assert service.call("POST", "/api/v1/models/rollback", maintainer)[1] == {"champion": shipped}
        wait_until(lambda: version_that_scores(service, "later") == shipped)
    assert not (home / "models").exists()
