"""Ask a language model that reads a hundred languages about what is not English. Needs PyTorch.

It studies the labels of those few comments, and some English ones beside them: the categories that nobody
labelled in a language are learnt from English. Each half of the comments is judged by a teacher that studied
the other half: about what it studied itself it would say little more than the labels do.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from classifier.categories import CATEGORIES
from classifier.dataset import Rows
from classifier.encoders import OF_MANY_LANGUAGES
from classifier.facts import body_of
from classifier.teacher import Ids, Progress, answers, drawn, lengths_of, new_teacher, study

_MOST_CHARACTERS = 2500
_SPAM = 0
# How much of an English source is studied in each round; of the others nothing.
_STUDIED: Mapping[str, float] = {
    "jigsaw2018 (six labels, lower-cased, no punctuation)": 0.17,
    "jigsaw2018 (non-toxic, raw)": 0.017,
    "civil-comments toxic (spans annotation)": 0.027,
    "convabuse": 0.1,
    "davidson tweets (keyword-sampled)": 0.0075,
    "paradetox": 0.024,
    "wiki-debias (identity terms, non-toxic)": 0.03,
}
# What a comment counts where it is not one: there are few in German and Korean.
_COUNTS: Mapping[str, float] = {"germeval2018": 1.5, "korean-beep news": 1.5, "hatemoji-build": 3.0}
_RARE, _RARELY = ("severe_toxicity", "threat"), 2.0
# Judged beside what is not English: emoji are a language that only this teacher's vocabulary has.
_EMOJI = "hatemoji-build"

_LINK = re.compile(r"(?:https?:/+|www\.)\S+")
_MENTION = re.compile(r"(?<!\w)@\w+")
_PICTURE = re.compile("[\u2600-\u27bf\U0001f000-\U0001faff]")
_INVISIBLE = re.compile("[\ufe00-\ufe0f\u200b-\u200f\u2060]+")
_SPACES = re.compile(" {2,}")


def opinions_on_languages(rows: Rows, seed: int, progress: Progress = print) -> NDArray[np.float32]:
    """Logits (n, 7) about what is not English among these rows and about emoji; NaN for the rest, and for
    spam. On a GPU where PyTorch finds one.

    ModelError when the encoder's package is missing.
    """
    asked = _asked(rows)
    halves = np.random.default_rng(seed).integers(0, 2, len(rows))
    found = np.full((len(rows), len(CATEGORIES)), np.nan, np.float32)
    texts = [read_as_written(body_of(comment)) for comment in rows.comments]
    for half in (0, 1):
        theirs, others = np.flatnonzero(asked & (halves == half)), np.flatnonzero(asked & (halves != half))
        found[theirs] = _judgement(rows, texts, others, theirs, seed, progress)
    found[:, _SPAM] = np.nan
    return found


def _asked(rows: Rows) -> NDArray[np.bool_]:
    asked = (rows.languages != "en") | (rows.sources == _EMOJI)
    return np.asarray(asked & ~np.char.startswith(rows.sources, "blog"))


def _judgement(
    rows: Rows, texts: list[str], studied: Ids, asked: Ids, seed: int, progress: Progress
) -> NDArray[np.float32]:
    """What a teacher that studied some rows says of some texts (n, 7)."""
    draw = np.random.default_rng(seed)
    encoder = OF_MANY_LANGUAGES
    teacher, encode = new_teacher(encoder, seed)
    encoded = encode(texts)
    rounds = [
        np.concatenate([studied, drawn(rows, _STUDIED, draw, default=0.0)]) for _ in range(encoder.rounds)
    ]
    study(
        teacher,
        lambda chosen, _: [encoded[i] for i in chosen.tolist()],
        lengths_of(encoded),
        replace(rows, label_weights=_weights(rows)),
        rounds,
        encoder,
        draw,
        progress,
    )
    return answers(teacher, encoded, asked, progress)[asked]


def _weights(rows: Rows) -> NDArray[np.float64]:
    each = np.array([_COUNTS.get(str(source), 1.0) for source in rows.sources])
    weights = np.repeat(each[:, None], len(CATEGORIES), axis=1)
    weights[:, [CATEGORIES.index(category) for category in _RARE]] *= _RARELY
    weights[:, _SPAM] = 0.0
    return weights


def read_as_written(text: str) -> str:
    """What this teacher is shown of a text: its upper case too, and of an emoji also the name.

    >>> read_as_written("@Jane: Du 🐷! https://pics.example/1")
    '@user: Du 🐷 pig face ! http'
    """
    text = _MENTION.sub("@user", _LINK.sub("http", text[:_MOST_CHARACTERS]))
    return _SPACES.sub(" ", _PICTURE.sub(_named, _INVISIBLE.sub("", text)))


def _named(picture: re.Match[str]) -> str:
    name = unicodedata.name(picture[0], "").lower()
    return f" {picture[0]} {name.replace('emoji modifier fitzpatrick type', 'skin tone')} "
