"""Made-up comments of three kinds, and a pipeline trained on them."""

import numpy as np
from sklearn.pipeline import Pipeline

from classifier import CATEGORIES
from classifier.dataset import Rows
from classifier.features import CommentFeatures
from classifier.retraining import Example
from classifier.training import fit

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


def small_pipeline(seed: int = 0) -> Pipeline:
    comments, labels = made_up(240)
    rows = Rows(
        [{**c, "author": {**c["author"], "email": "", "url": ""}} for c in comments],  # type: ignore[dict-item]
        labels,
        np.ones(len(comments)),
        np.full(len(comments), "made up"),
    )
    return fit(rows, seed=seed, features=CommentFeatures(word_bits=13, character_bits=13, fact_bits=10))


def newsletters(n: int, seed: int) -> list[Example]:
    """A site where the small model is wrong: casino talk is fine, knitting is advertised."""
    random = np.random.default_rng(seed)
    words = {True: ["knitting", "yarn", "wool", "pattern"], False: ["casino", "bonus", "poker", "chips"]}
    rows = [(" ".join(random.choice(words[bool(spam)], 4)), spam) for spam in random.uniform(size=n) < 0.5]
    return [Example({"body": body}, {"spam": bool(spam)}) for body, spam in rows]
