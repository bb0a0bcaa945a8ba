"""Comments as many people write them: many threads and authors, and words that nobody wrote before.

What remembers threads, authors or words grows with these as it would with real ones.
"""

import random
import string
from collections.abc import Iterator
from itertools import islice

from benchmarks.load import request, texts

THREADS = 5_000
NEW_WORDS = 3
BATCH = 100


def comments(seed: int, length: int = 280) -> Iterator[dict[str, object]]:
    """Endlessly many comments, none twice."""
    chance = random.Random(seed)
    for body in texts(seed, length):
        invented = " ".join("".join(chance.choices(string.ascii_lowercase, k=7)) for _ in range(NEW_WORDS))
        author = {"name": "Reader", "email": f"{chance.getrandbits(40):x}@example.org"}
        yield {
            "thread": {"id": f"/a-post/{chance.randrange(THREADS)}"},
            "author": author,
            "body": f"{body} {invented}",
        }


def batches(seed: int, count: int, key: str) -> Iterator[bytes]:
    """Requests that hand in this many comments, a hundred each."""
    found = comments(seed)
    for begin in range(0, count, BATCH):
        several = list(islice(found, min(BATCH, count - begin)))
        yield request("/api/v1/comments/batch", key, {"comments": several})


def singles(seed: int, count: int, key: str) -> list[bytes]:
    """Requests that hand in one comment each."""
    return [request("/api/v1/comments", key, one) for one in islice(comments(seed), count)]
