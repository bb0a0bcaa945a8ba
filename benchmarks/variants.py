"""Variants of one spam comment, as its senders make them: no two are alike, and all say the same.

Each variant has its own strength: what share of its words is replaced, by others of the same meaning where
some are known and by any other word where not. Beside that names, numbers and links change, words are put in
or left out, sentences change places, and some variants hide words from filters.
"""

import random
import re
from collections.abc import Sequence

WEAKEST, STRONGEST = 0.05, 0.35
SAME_MEANING = tuple(
    tuple(words.split())
    for words in (
        "great good nice awesome excellent amazing wonderful fantastic brilliant superb",
        "post article blog page writeup content piece read",
        "thanks thank cheers kudos",
        "information info details knowledge facts advice",
        "helpful useful valuable informative handy beneficial",
        "buy order purchase get grab",
        "cheap affordable discounted budget inexpensive",
        "best top leading finest premier greatest",
        "online virtual web internet digital",
        "course training class program tutorial lessons",
        "company agency firm business provider",
        "service services solution solutions support",
        "visit see check view browse",
        "here below now today",
        "very really truly extremely so quite",
        "share sharing posting publishing providing giving",
        "love like enjoy adore appreciate",
        "money cash income profit earnings",
        "free complimentary gratis",
        "help assist aid guide",
        "people folks users readers everyone visitors",
        "work job effort task",
        "find discover get locate",
        "website site portal webpage homepage",
        "want need wish desire",
        "learn study master understand",
        "new fresh latest recent modern",
        "make create build produce",
        "easy simple quick effortless",
        "experts professionals specialists pros",
    )
)
OPENINGS = (
    "Hello everyone.",
    "Hi there!",
    "Dear admin,",
    "Good day to all.",
    "Hey guys!",
    "I am new on this blog.",
    "What a day!",
    "Just found this.",
)
FILLERS = (
    "just",
    "also",
    "indeed",
    "honestly",
    "surely",
    "definitely",
    "maybe",
    "always",
    "again",
    "too",
    "actually",
    "simply",
)
NAMES = (
    "Anna",
    "Boris",
    "Chen",
    "Dina",
    "Emil",
    "Fatima",
    "Goran",
    "Hana",
    "Igor",
    "Julia",
    "Karim",
    "Lena",
    "Marco",
    "Nadia",
    "Oskar",
    "Priya",
)
TOPS = ("com", "net", "org", "info", "site", "online", "shop", "xyz")
_MEANINGS = {word: group for group in SAME_MEANING for word in group}
_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"']+", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_HOMOGLYPHS = str.maketrans("aeopcxyAEOPCX", "аеорсхуАЕОРСХ")
_LEET = str.maketrans("aeios", "4310$")


def variants(seed: str, count: int, others: Sequence[str], chance: random.Random) -> list[str]:
    """So many variants of a text; words without a known meaning are replaced by some of `others`."""
    domains = [_domain(chance) for _ in range(5)]
    return [_variant(seed, others, domains, chance) for _ in range(count)]


def _variant(seed: str, others: Sequence[str], domains: Sequence[str], chance: random.Random) -> str:
    strength = chance.uniform(WEAKEST, STRONGEST)
    text = _LINK.sub(lambda _: _link(domains, chance), seed)
    sentences = _SENTENCE.split(text)
    if len(sentences) > 2 and chance.random() < 0.5:
        chance.shuffle(sentences)
    if len(sentences) > 3 and chance.random() < 0.3:
        sentences.pop(chance.randrange(len(sentences)))
    if chance.random() < 0.3:
        sentences.insert(0, chance.choice(OPENINGS))
    words = " ".join(sentences).split(" ")
    spun = [new for word in words for new in _spun(word, others, strength, chance)]
    return _disguised(spun, chance) if chance.random() < 0.3 else " ".join(spun)


def _spun(word: str, others: Sequence[str], strength: float, chance: random.Random) -> list[str]:
    """What becomes of one word: usually itself."""
    plain = word.strip(".,!?:;\"'()").casefold()
    if not plain or "/" in word or "<" in word or ">" in word or "=" in word:
        return [word]
    if plain.isdigit():
        return [str(chance.randrange(10 ** len(plain)))]
    if word[:1].isupper() and plain in _NAMES_KNOWN:
        return [chance.choice(NAMES)]
    if chance.random() >= strength:
        return [word] if chance.random() >= strength / 5 else [word, chance.choice(FILLERS)]
    if chance.random() < 0.1:
        return []
    return [word.casefold().replace(plain, chance.choice(_MEANINGS.get(plain, others)))]


def _disguised(words: list[str], chance: random.Random) -> str:
    """Some words hidden from filters: look-alike letters, invisible ones, digits for letters, shouting."""
    how = chance.choice((_invisible, _look_alike, _leet, str.upper))
    return " ".join(how(word) if "/" not in word and chance.random() < 0.4 else word for word in words)


def _invisible(word: str) -> str:
    return word[:2] + "\u200b" + word[2:]


def _look_alike(word: str) -> str:
    return word.translate(_HOMOGLYPHS)


def _leet(word: str) -> str:
    return word.translate(_LEET) if len(word) > 3 else word


def _link(domains: Sequence[str], chance: random.Random) -> str:
    """Usually another domain for each, sometimes one of a few."""
    domain = chance.choice(domains) if chance.random() < 0.3 else _domain(chance)
    return f"https://{domain}/{''.join(chance.choices('abcdefghijklmnopqrstuvwxyz0123456789', k=7))}"


def _domain(chance: random.Random) -> str:
    return f"{''.join(chance.choices('abcdefghiklmnoprstuvwz', k=9))}.{chance.choice(TOPS)}"


_NAMES_KNOWN = {name.casefold() for name in NAMES}
