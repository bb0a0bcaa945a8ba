"""The receiver that docs/webhooks.md shows in Python takes what Greenroom signs, and nothing else"""

import re
import time
from pathlib import Path
from typing import Any

from moderation.webhook_signing import webhook_headers, webhook_secret

DOCS = Path(__file__).parents[2] / "docs" / "webhooks.md"
BODY = b'{"type":"comment.approved","data":{"thread":{"id":"first-post"}}}'


def test_it_verifies_a_delivery_and_refuses_a_changed_or_old_one(capsys: Any) -> None:
    found = re.search(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    secret = webhook_secret("salt", b"key")
    made: dict[str, Any] = {"__name__": __name__}
    exec(found[1].replace("whsec_…", secret), made)
    client, now = made["app"].test_client(), int(time.time())
    headers = webhook_headers("dlv_1", now, BODY, [secret])
    assert client.post("/hook", data=BODY, headers=headers).status_code == 204
    assert capsys.readouterr().out == "rebuild first-post\n"
    assert client.post("/hook", data=BODY + b" ", headers=headers).status_code == 400
    old = webhook_headers("dlv_1", now - 3600, BODY, [secret])
    assert client.post("/hook", data=BODY, headers=old).status_code == 400
