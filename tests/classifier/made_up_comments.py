"""Made-up comments of three kinds, and a network trained on them."""

import numpy as np
from scipy import sparse

from classifier import CATEGORIES
from classifier.facts import FACTS
from classifier.hashing import hash_words
from classifier.logistic import fit_line
from classifier.network import Network, Weights
from classifier.retraining import Example
from classifier.text import pieces, tokens

ADVERTS = ("buy cheap pills at", "casino bonus for you", "best loans no credit check", "click here to win")
REMARKS = (
    "thanks, this solved my problem on",
    "the second example fails with",
    "lovely photos from",
    "I disagree about",
)
INSULTS = ("you stupid idiot, go read", "what a moronic clown wrote", "shut up, you fool, about")


def made_up(n: int, seed: int = 0) -> tuple[list[dict[str, object]], np.ndarray]:
    """n comments in three kinds, with labels of spam, toxicity and insult, the others unknown."""
    random = np.random.default_rng(seed)
    comments: list[dict[str, object]] = []
    labels = np.full((n, len(CATEGORIES)), np.nan)
    for i in range(n):
        kind = ("advert", "remark", "insult")[i % 3]
        opening = str(random.choice({"advert": ADVERTS, "remark": REMARKS, "insult": INSULTS}[kind]))
        subject = " ".join(random.choice(["linux", "bread", "trains", "python", "spring", "music"], 3))
        link = " http://shop.example/deal" if kind == "advert" and random.uniform() < 0.5 else ""
        name = "Cheap Loans" if kind == "advert" else "Ann"
        comments.append(
            {
                "body": f"{opening} {subject}{link}",
                "author": {"name": name},
                "thread": {"title": "Python news"},
            }
        )
        labels[i, [0, 1, 5]] = kind == "advert", kind == "insult", kind == "insult"
    return comments, labels


def examples(n: int, seed: int = 0) -> list[Example]:
    comments, labels = made_up(n, seed)
    known = [{c: bool(row[k]) for k, c in enumerate(CATEGORIES) if not np.isnan(row[k])} for row in labels]
    return [Example(comment, labels) for comment, labels in zip(comments, known, strict=True)]


def small_network(seed: int = 0, *, older: bool = False) -> Network:
    """A network whose direct part learnt the made-up comments; its inner part is random and weak.

    An older one has no mean of the words alone and reads no stretches.
    """
    comments, labels = made_up(240)
    bits, inward, windows, hidden = 13, 6, 5, 4
    grams = sparse.vstack([_direct_row(str(comment["body"]), bits) for comment in comments], format="csr")
    direct = np.zeros((1 << bits, len(CATEGORIES) + 2))
    for k in np.flatnonzero(~np.isnan(labels[0])):
        direct[:, k] = fit_line(grams, labels[:, k], np.ones(len(labels)), strength=0.01).coef
    direct[:, len(CATEGORIES)] = direct[:, 0]
    random = np.random.default_rng(seed)
    table = np.concatenate([direct, random.normal(size=(1 << bits, inward))], axis=1)
    scale = (np.abs(table).max(axis=0) + 1e-9) / 127

    def drawn(*shape: int) -> np.ndarray:
        return random.normal(scale=0.2, size=shape).astype(np.float32)

    return Network(
        Weights(
            table=np.rint(table / scale).astype(np.int8),
            table_scale=scale.astype(np.float32),
            pairs=random.integers(-9, 9, size=(1 << bits, len(CATEGORIES))).astype(np.int8)
            * (~np.isnan(labels[0])).astype(np.int8),
            pairs_scale=np.full(len(CATEGORIES), 0.01, np.float32),
            facts=drawn(FACTS),
            window=drawn(inward, 3 * windows),
            window_bias=drawn(windows),
            hidden=drawn(2 * windows + inward * (not older), hidden),
            hidden_bias=drawn(hidden),
            out=drawn(hidden, len(CATEGORIES)) * (~np.isnan(labels[0])),
            bias=np.full(len(CATEGORIES), -0.3, np.float32),
            slope=np.ones(len(CATEGORIES), np.float32),
            shift=np.zeros(len(CATEGORIES), np.float32),
            stretch=0 if older else 12,
        )
    )


def _direct_row(body: str, bits: int) -> sparse.csr_matrix:
    words = [token for piece in pieces(body) for token in tokens(piece)]
    hashed = hash_words(words, bits)
    counts = hashed.counts + 1
    values = np.concatenate([1 / np.sqrt(counts), np.repeat(1 / np.sqrt(counts), counts - 1)])
    columns = np.concatenate([hashed.own, hashed.columns])
    row = sparse.csr_matrix((values, (np.zeros(len(columns), np.int64), columns)), shape=(1, 1 << bits))
    return row / np.sqrt(len(words))


def newsletters(n: int, seed: int) -> list[Example]:
    """A site where the small model is wrong: casino talk is fine, knitting is advertised."""
    random = np.random.default_rng(seed)
    words = {True: ["knitting", "yarn", "wool", "pattern"], False: ["casino", "bonus", "poker", "chips"]}
    rows = [(" ".join(random.choice(words[bool(spam)], 4)), spam) for spam in random.uniform(size=n) < 0.5]
    return [Example({"body": body}, {"spam": bool(spam)}) for body, spam in rows]
