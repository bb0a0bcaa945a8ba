"""Where a call carries its key: in the body, in the address, or as the first label of the host's name."""

import re
from collections.abc import Sequence

from moderation.compat.akismet.form import Fields
from moderation.services.access import AKISMET_KEY_LENGTH

# A host's name is written in lower case, and so are the keys.
_LABEL = re.compile(rf"([a-z0-9]{{{AKISMET_KEY_LENGTH}}})\.[^.]", re.IGNORECASE | re.ASCII)
USUAL = ("api_key", "key")
# Where the key itself is the question: WordPress sends a new one as `key`, with the stored one beside it.
ABOUT_KEY = ("key", "api_key")


def find_key(body: Fields, query: Fields, host: str, order: Sequence[str] = USUAL) -> str:
    """The key of a call, empty if there is none.

    The body goes before the query and both before the host. A field that is there but empty counts as an
    empty key where the key is the question: what is asked about is that nothing, not what stands beside it.
    """
    for fields in (body, query):
        for name in order:
            if name in fields and (fields[name].strip() or order is ABOUT_KEY):
                return fields[name].strip()
    found = _LABEL.match(host)
    return found[1].lower() if found else ""
