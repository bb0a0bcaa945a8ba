"""What `greenroom up` prints when everything answers: where to look and one command to try."""

import json
import shlex
from typing import TYPE_CHECKING

from moderation.settings import Settings

if TYPE_CHECKING:
    from moderation.demo import DemoKeys

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 (read, not listened on)
_SAMPLE = {
    "thread": {"id": "hello-world", "title": "Hello, world"},
    "author": {"name": "Ada"},
    "body": "On our old server the query took four seconds until we added the index, and then it was quick.",
}


def local_address(host: str) -> str:
    """The address under which this machine itself reaches a server that listens on `host`."""
    return _EVERYWHERE.get(host, host)


def banner(settings: Settings, keys: "DemoKeys | None", seconds: float) -> str:
    """The text, a line for each thing the owner may want next."""
    url = settings.public_url
    rows = [
        *([("blog demo", f"{url}/")] if keys else []),
        ("console", f"{url}/console"),
        ("API docs", f"{url}/api/docs"),
        ("data", str(settings.home)),
        *(_key_rows(keys) if keys else []),
    ]
    lines = [f"  {name:<22} {value}" for name, value in rows]
    return "\n".join(
        [
            "",
            f"Greenroom is ready ({seconds:.1f} s). Ctrl-C stops it.",
            "",
            *lines,
            "",
            *_try_it(settings, keys),
        ]
    )


def _key_rows(keys: "DemoKeys") -> list[tuple[str, str]]:
    return [
        ("demo site", keys.site_id),
        ("its secret key", keys.secret_key),
        ("its public key", keys.public_key),
        ("its Akismet key", keys.akismet_key),
        ("maintainer's key", f"{keys.moderator_key}  (sign in to the console with it)"),
    ]


def _try_it(settings: Settings, keys: "DemoKeys | None") -> list[str]:
    if keys is None:
        return ["Make a site and a moderator: greenroom site create, greenroom moderator create", ""]
    return ["Post a comment and wait for its decision:", "", f"  {curl(settings, keys.secret_key)}", ""]


def curl(settings: Settings, secret_key: str) -> str:
    """One line for a shell that posts a comment to this machine."""
    host = local_address(settings.host)
    address = f"[{host}]" if ":" in host else host
    words = [
        *("curl", "-sS", f"http://{address}:{settings.port}/api/v1/comments"),
        *("-H", f"Authorization: Bearer {secret_key}"),
        *("-H", "Content-Type: application/json"),
        *("-H", "Prefer: wait=5"),
        *("-d", json.dumps(_SAMPLE)),
    ]
    return shlex.join(words)
