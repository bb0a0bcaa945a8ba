"""PyPI akismet as it is: only the names lead elsewhere, and a private authority is trusted."""

import akismet
import local_names  # noqa: F401
from calls import given, run

client = akismet.SyncClient(config=akismet.Config(key=given["key"], url=given["blog"]))


def call(name, fields):
    found = getattr(client, name)(**fields)
    return found.name if isinstance(found, akismet.CheckResponse) else found


run(call)
