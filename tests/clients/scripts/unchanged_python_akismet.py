"""PyPI python-akismet as it is: only the names lead elsewhere, and a private authority is trusted."""

import local_names  # noqa: F401
from akismet import Akismet
from calls import given, run

client = Akismet(given["key"], blog=given["blog"], application_user_agent="Test/1.0")
run(lambda name, fields: getattr(client, name)(user_agent="Mozilla/5.0", **fields))
