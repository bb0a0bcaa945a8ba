"""PyPI pykismet3: plain http, the key is a label of the host."""

import local_names  # noqa: F401
import pykismet3
from calls import given, run

for name in ("CHECK", "SUBMIT_SPAM", "SUBMIT_HAM"):
    url = getattr(pykismet3, f"AKISMET_{name}_URL")
    setattr(pykismet3, f"AKISMET_{name}_URL", url.replace("rest.akismet.com", f"localhost:{given['port']}"))

client = pykismet3.Akismet(given["key"], blog_url=given["blog"], user_agent="Test/1.0")
run(lambda name, fields: getattr(client, name)({"user_agent": "Mozilla/5.0", "referrer": "", **fields}))
