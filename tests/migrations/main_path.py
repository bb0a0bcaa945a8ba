"""The service's main path in a process of its own: accept, drain, decide; prints what became of the comments.

It uses only names that are fixed, so that it also runs on the code of an earlier revision.
"""

import json
import os
import subprocess
import sys

from moderation.app import create_app
from workers.scoring import drain

LINKS = " ".join(f"https://example.org/{n}" for n in range(6))
BODIES = (
    "Thank you for writing this down, it helped me repair the lamp.",
    f"Compare these pages, please: {LINKS}",
)


def command(*words: str) -> dict[str, str]:
    """What a command prints as JSON."""
    run = [sys.executable, "-m", "workers.cli", *words, "--json"]
    printed: dict[str, str] = json.loads(subprocess.run(run, capture_output=True, check=True).stdout)
    return printed


def main() -> None:
    site = command("site", "create", "--name", "A site", "--origin", "https://blog.example.org")
    person = command("moderator", "create", "--name", f"Bruno {os.getpid()}", "--role", "moderator")
    client = create_app().test_client()
    key = {"Authorization": f"Bearer {site['secret_key']}"}
    ids = []
    for body in BODIES:
        comment = {"thread": {"id": "t"}, "author": {"name": "Reader"}, "body": body}
        answer = client.post("/api/v1/comments", json=comment, headers=key)
        assert answer.status_code == 202, answer.text
        ids.append(answer.get_json()["id"])
    drain()
    moderator = {"Authorization": f"Bearer {person['key']}"}
    for entry in client.get(f"/api/v1/queue?site={site['site_id']}", headers=moderator).get_json()["items"]:
        path, seen = f"/api/v1/queue/{entry['id']}/decision", {"If-Match": f'"{entry["version"]}"'}
        decision = {"action": "reject", "reason": "spam"}
        answer = client.post(path, json=decision, headers=moderator | seen)
        assert answer.status_code == 200, answer.text
    fates = [client.get(f"/api/v1/comments/{one}", headers=key).get_json()["status"] for one in ids]
    sys.stdout.write(json.dumps(fates))


main()
