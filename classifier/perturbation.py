"""Write a text the way people write to get past a filter, or in a hurry: for training and for measuring."""

import random
import re
from collections.abc import Callable, Mapping

_LEET = {"a": "4@", "e": "3", "i": "1!", "o": "0", "s": "5$", "t": "7"}
_TWINS = dict(zip("acehijkmnopstuvwxybdglq", "аϲеһіјκмոорѕтυνԝхуЬԁɡӏԛ", strict=True))
# Which keys are beside each key, row by row.
_NEIGHBOURS = {
    "q": "wa",
    "w": "qe",
    "e": "wr",
    "r": "et",
    "t": "ry",
    "y": "tu",
    "u": "yi",
    "i": "uo",
    "o": "ip",
    "p": "o",
    "a": "qs",
    "s": "ad",
    "d": "sf",
    "f": "dg",
    "g": "fh",
    "h": "gj",
    "j": "hk",
    "k": "jl",
    "l": "k",
    "z": "x",
    "x": "zc",
    "c": "xv",
    "v": "cb",
    "b": "vn",
    "n": "bm",
    "m": "n",
}
# Terms of one kind, which a comment's toxicity should not depend on.
_TERMS = (
    "gay lesbian bisexual transgender trans queer straight homosexual heterosexual",
    "black white asian african american hispanic latino mexican chinese european indian",
    "muslim christian jewish jew catholic hindu buddhist atheist sikh protestant",
    "male female man woman men women girl boy",
    "deaf blind paralyzed disabled elderly old young teenage",
    "arab turkish canadian german french russian polish israeli",
)
_TERMS_LIKE = {word: terms.split() for terms in _TERMS for word in terms.split()}
_SHORTEST = 3

Disguise = Callable[[str, random.Random], str]


def leet(word: str, draw: random.Random) -> str:
    """idiot -> 1d10t."""
    return _each(word, draw, 0.6, lambda letter: draw.choice(_LEET.get(letter.lower(), letter)))


def twins(word: str, draw: random.Random) -> str:
    """Letters of other scripts that look the same."""
    return _each(word, draw, 0.5, lambda letter: _TWINS.get(letter, letter))


def spaced(word: str, draw: random.Random) -> str:
    """idiot -> i d i o t or i.d.i.o.t."""
    return draw.choice(" .-_* ").join(word)


def stretched(word: str, draw: random.Random) -> str:
    """idiot -> idiiiiot."""
    at = draw.randrange(len(word))
    return word[:at] + word[at] * draw.randint(2, 6) + word[at + 1 :]


def parted(word: str, draw: random.Random) -> str:
    """idiot -> idi.ot."""
    at = draw.randrange(1, len(word))
    return word[:at] + draw.choice(".-_ *\u200b\u00ad") + word[at:]


def invisible(word: str, draw: random.Random) -> str:
    """Characters of no width between the letters."""
    return _each(word, draw, 0.5, lambda letter: letter + draw.choice("\u200b\u200d\u2060\u00ad"))


def marked(word: str, draw: random.Random) -> str:
    """Combining marks on the letters."""
    return _each(word, draw, 0.5, lambda letter: letter + chr(draw.randrange(0x300, 0x36F)))


def starred(word: str, draw: random.Random) -> str:
    """idiot -> id*ot."""
    at = draw.randrange(1, len(word))
    length = draw.randint(1, min(2, len(word) - at))
    return word[:at] + "*" * length + word[at + length :]


def mistyped(word: str, draw: random.Random) -> str:
    """Two letters swapped, one missing, one twice, or the key beside."""
    at = draw.randrange(len(word) - 1)
    before, letter, after = word[:at], word[at], word[at + 1 :]
    kinds = (
        before + after[0] + letter + after[1:],
        before + after,
        before + letter + letter + after,
        before + draw.choice(_NEIGHBOURS.get(letter.lower(), letter)) + after,
    )
    return draw.choice(kinds)


DISGUISES: Mapping[str, Disguise] = {
    "leet": leet,
    "look-alikes": twins,
    "spaced": spaced,
    "stretched": stretched,
    "parted": parted,
    "invisible": invisible,
    "marked": marked,
    "starred": starred,
    "mistyped": mistyped,
}


def disguised(text: str, draw: random.Random, disguise: Disguise | None = None, share: float = 0.3) -> str:
    """A share of the longer plain words of a text disguised, each its own way if no disguise is named.

    >>> disguised("what an idiot", random.Random(3), spaced, share=1.0)
    'w*h*a*t an i*d*i*o*t'
    """
    ways = [*DISGUISES.values(), mistyped]
    words = text.split(" ")
    for i, word in enumerate(words):
        if len(word) >= _SHORTEST and word.isascii() and word.isalpha() and draw.random() < share:
            words[i] = (disguise or draw.choice(ways))(word, draw)
    return " ".join(words)


def other_terms(text: str, draw: random.Random) -> str:
    """The same text about other people: each identity term replaced by one of its kind.

    >>> other_terms("my deaf friend", random.Random(1))
    'my blind friend'
    """
    return re.sub(
        r"[A-Za-z]+", lambda found: draw.choice(_TERMS_LIKE.get(found[0].lower(), [found[0]])), text
    )


def _each(word: str, draw: random.Random, share: float, change: Callable[[str], str]) -> str:
    return "".join(change(letter) if draw.random() < share else letter for letter in word)
