"""The domains that a comment links to."""

import re
import unicodedata

# More of one comment are not looked at.
MOST_DOMAINS = 5
_LONGEST = 253
_LINK = re.compile(r"""(?:https?:/{1,3}|\bwww\.)([^\s<>"'/?#\\()\[\]{}|]{1,300})""", re.IGNORECASE)


def domains_in(body: str, author_url: str | None = None) -> tuple[str, ...]:
    """Each domain once, in the order they come, without `www.`; the author's own address comes last.

    >>> domains_in("https://WWW.Shop.example:8080/a, http://shop.example or www.b.example.", "c.example/x")
    ('shop.example', 'b.example', 'c.example')
    """
    # Most comments have no link, and looking for one takes longer than asking this.
    linked = "//" in body or "www." in body.lower() or ":/" in body
    hosts = [found[1] for found in _LINK.finditer(body)] if linked else []
    if author_url:
        hosts.append(re.sub(r"^\w+:/*", "", author_url.strip()))
    known = dict.fromkeys(_domain(host) for host in hosts)
    return tuple(domain for domain in known if domain)[:MOST_DOMAINS]


def _domain(host: str) -> str:
    """The domain of what stands between `//` and the path; empty if it can be none."""
    name = unicodedata.normalize("NFKC", re.split(r"[/?#\s]", host, maxsplit=1)[0]).casefold()
    name = name.rpartition("@")[2].partition(":")[0].strip(".,;!*_~'\"’”").removeprefix("www.")
    return name if "." in name and len(name) <= _LONGEST and name.isprintable() else ""
