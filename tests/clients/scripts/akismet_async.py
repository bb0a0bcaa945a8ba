"""PyPI akismet-async: every field is sent, empty ones too."""

import asyncio

import local_names  # noqa: F401
from akismet import client as module
from akismet.entities import Comment
from calls import given, run

for name in ("CHECK", "SUBMIT_SPAM", "SUBMIT_HAM", "KEY_VERIFICATION"):
    url = getattr(module, f"AKISMET_{name}_URL").replace("https://", "http://")
    setattr(module, f"AKISMET_{name}_URL", url.replace("rest.akismet.com", f"localhost:{given['port']}"))


async def ask(name, fields):
    client = module.Akismet(api_key=given["key"], blog=given["blog"], user_agent="Test/1.0")
    if name == "verify_key":
        return await client.verify_key()
    found = await getattr(client, name)(Comment(user_agent="Mozilla/5.0", referrer="unknown", **fields))
    return getattr(found, "name", found)


run(lambda name, fields: asyncio.run(ask(name, fields)))
