"""PyPI python-akismet: the key is a label of the host, the answer is read as JSON."""

import local_names  # noqa: F401
from akismet import Akismet
from calls import given, run


class Here(Akismet):
    protocol = "http"
    domain = f"localhost:{given['port']}"


client = Here(given["key"], blog=given["blog"], application_user_agent="Test/1.0")
run(lambda name, fields: getattr(client, name)(user_agent="Mozilla/5.0", **fields))
