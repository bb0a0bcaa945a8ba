"""Turn what people type into tokens: the same way in training, scoring and explaining.

A text is cut at white space into pieces, and each piece alone becomes tokens. So the work for a piece is done
once and remembered (`vocabulary`), and a token is always known to come from the characters of its piece.
Every regular expression is without nested repetition: the time is linear in the text.
"""

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from classifier.confusables import latin

# No word of a text can be one of these: angle brackets never survive in a word.
LINK, SHORT_LINK, EMAIL, MENTION = "<link>", "<short>", "<mail>", "<name>"
# Words without spaces (or a flood of letters) are cut into words of this length.
LONGEST_WORD = 24
_MOST_PATH_WORDS = 8
# A part this short is hardly a word of its own: st.ret.ched, f-u-c-k.
_SHORT_PART = 3

SHORTENERS = frozenset(
    (
        *(
            "bit.ly",
            "goo.gl",
            "tinyurl.com",
            "t.co",
            "ow.ly",
            "is.gd",
            "buff.ly",
            "adf.ly",
            "cutt.ly",
            "rb.gy",
        ),
        *("rebrand.ly", "shorturl.at", "tiny.cc", "t.me", "wa.me", "bl.ink", "v.gd", "x.co", "lnkd.in"),
    )
)
_DOMAINS = "com|net|org|info|biz|ru|cn|co|io|xyz|top|online|site|shop|store|club|live|pro|us|uk|de|ua|gl|ly"
# Skin tones, as people call them and not as "emoji modifier fitzpatrick type".
_TONES = {"🏻": "light", "🏼": "light", "🏽": "medium", "🏾": "dark", "🏿": "dark"}
# In the names of older signs these words tell how they are drawn: ❤ is a "heavy black heart".
_STROKES, _COLOURED = ("heavy", "black", "white"), "\u2800"
_EDGES = ".,;:!?\"'()[]{}“”‘’…-–—"
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff\ud800-\udfff]+"
)
_MARKS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")
_PARTS = re.compile(
    r"""(?P<link>(?:https?:/+|www\.)[^\s<>"'\]\[)}|]+)
    |(?P<mail>[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5})
    |(?P<bare>(?:[a-z0-9-]{1,63}\.){1,4}(?:"""
    + _DOMAINS
    + r""")(?![\w.@-])(?:/[^\s<>"'\]\[)}|]*)?)
    |(?P<tag></?[a-z][a-z0-9]{0,10}(?=[\s/>]|$)[/>]{0,2})
    |(?P<flags>[\U0001f1e6-\U0001f1ff]+)
    |(?P<picture>[\u231a-\u23ff\u2600-\u27bf\u2b05-\u2b55\U0001f000-\U0001faff])
    |(?P<word>[\w'*@$!|+.~€£-]+)""",
    re.VERBOSE | re.ASCII,
)
# The same for text that is not ASCII, where \w means letters of every script.
_PARTS_OF_ANY_SCRIPT = re.compile(_PARTS.pattern, re.VERBOSE)
_PLAIN = re.compile(
    rf"^(?:[{re.escape(_EDGES)}]*([a-z]{{1,{LONGEST_WORD}}})[{re.escape(_EDGES)}]*|.*)$", re.MULTILINE
)
_REPEATED = re.compile(r"([^\W\d_])\1{2,}")
_LETTER_GAPS = re.compile(r"[.\-_~|+!]+")
_NUMBER = re.compile(r"\d[\d.,]*(?:[a-z]{0,2}|min|mph)$")
_NUMBERED = re.compile(r"[a-z]{1,6}\d+$")
_LEET = str.maketrans("013456789@$!|+€£", "oieasgtbgasiitel")
_LEET_SIGNS = re.compile(r"[0-9@$!|+€£]")
# Written without spaces: Chinese characters one by one, and Japanese endings and foreign words in one piece.
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
_SIGNS = re.compile("[\u3400-\u9fff]|[\u3040-\u309f]+|[\u30a0-\u30ff]+|[^\u3040-\u30ff\u3400-\u9fff]+")
_SPACED = re.compile(r"(?<!\S)\S(?:[ \t]\S){2,}[^\s\w]*(?!\S)")
_PIECE = re.compile(_SPACED.pattern + r"|\S+")
_ALONE = re.compile(r"\S[^\s\w]*")


class Piece(NamedTuple):
    """Characters start..end of a text, and what to read them as."""

    start: int
    end: int
    text: str


def pieces(text: str) -> list[str]:
    """What stands between white space, with s p a c e d letters put together.

    >>> pieces("you i d i o t!  ok")
    ['you', 'idiot!', 'ok']
    >>> pieces("c'est la vie")
    ["c'est", 'la', 'vie']
    """
    found = text.split()
    # Two lone characters side by side are rare, and looking for them is ten times quicker than the search.
    if "\1\1" not in "".join(map(chr, map(len, found))) or not _SPACED.search(text):
        return found
    return [piece.text for piece in located_pieces(text)]


def stands_alone(piece: str) -> bool:
    """Whether three such pieces side by side may be s p a c e d letters.

    >>> [stands_alone(piece) for piece in ("i", "t!", "is")]
    [True, True, False]
    """
    return not piece[1:2].isalnum() and _ALONE.fullmatch(piece) is not None


def located_pieces(text: str) -> Iterator[Piece]:
    """
    >>> list(located_pieces("a  b"))
    [Piece(start=0, end=1, text='a'), Piece(start=3, end=4, text='b')]
    """
    for found in _PIECE.finditer(text):
        yield Piece(found.start(), found.end(), "".join(found[0].split()))


def parted(piece: Piece) -> list[Piece]:
    """The words of a piece that is written without spaces, if they mean the same apart.

    >>> [part.text for part in parted(Piece(0, 6, "死ね、バカ!"))]
    ['死', 'ね', '、', 'バカ', '!']
    """
    if len(piece.text) != piece.end - piece.start or not _UNSPACED.search(piece.text):
        return [piece]
    found = [
        Piece(piece.start + part.start(), piece.start + part.end(), part[0])
        for part in _SIGNS.finditer(piece.text)
    ]
    return found if [word for part in found for word in tokens(part.text)] == tokens(piece.text) else [piece]


def plain_words(pieces: Sequence[str]) -> list[str]:
    """For each piece that is a word with at most punctuation around it, that word; "" for all others.

    The same as `tokens` says, for many at once: most pieces are of this kind.

    >>> plain_words(["“Hello,", "don't", "Soooo!"])
    ['hello', '', 'soo']
    """
    return squeezed("\n".join(_PLAIN.findall("\n".join(pieces).lower()))).split("\n") if pieces else []


def tokens(piece: str) -> list[str]:
    """The tokens of one piece; few have more than one.

    >>> tokens("“Hello,"), tokens("don't"), tokens("ＦＲＥＥ"), tokens("pi\\u200blls"), tokens("soooo")
    (['hello'], ['dont'], ['free'], ['pills'], ['soo'])
    >>> tokens("https://www.cheap-pills.example.com/buy-now?x=1")
    ['<link>', 'cheap', 'pills', 'example', '.com', 'buy', 'now', 'x', '1']
    >>> tokens("jane.doe@mail.example.org"), tokens("<b>R&amp;D</b>"), tokens("🐷!")
    (['<mail>', 'mail', 'example', '.org'], ['r', 'd'], ['🐷', 'pig', 'face'])
    """
    plain = piece.strip(_EDGES)
    if plain.isascii() and plain.isalpha() and len(plain) <= LONGEST_WORD:
        return [squeezed(plain.lower())]
    text = folded(piece)
    found: list[str] = []
    for part in (_PARTS if text.isascii() else _PARTS_OF_ANY_SCRIPT).finditer(text):
        found += _READ[str(part.lastgroup)](part[0])
    return found


def folded(text: str) -> str:
    """Entities decoded, invisible characters and marks dropped, NFKC, lower case, look-alikes made Latin.

    >>> folded("Ｆｒｅｅ &amp; ﬁne Straße e\\u0301t\\u00e9 ⓢⓟⓐⓜ")
    'free & fine strasse ete spam'
    """
    if "&" in text:
        text = html.unescape(text)
    if text.isascii():
        return text.lower()
    text = _INVISIBLE.sub("", text)
    text = unicodedata.normalize("NFKC", text).casefold()
    text = unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFKD", text)))
    return latin(text.replace("’", "'").replace("‘", "'"))


def squeezed(word: str) -> str:
    """Three or more of a letter become one, or two of those that double in English.

    >>> squeezed("coooool"), squeezed("fuuuuck"), squeezed("shiiit"), squeezed("book")
    ('cool', 'fuck', 'shit', 'book')
    """
    return _REPEATED.sub(lambda found: found[1] * (2 if found[1] in "eols" else 1), word)


def plain_letters(word: str) -> str:
    """Leetspeak read as letters; numbers with a unit stay.

    >>> [plain_letters(word) for word in ("sh1t", "1d10t", "@$$hole", "455h0l3", "10am", "2020")]
    ['shit', 'idiot', 'asshole', 'asshole', '10am', '2020']
    """
    return word if _NUMBER.match(word) else word.translate(_LEET)


def words(part: str) -> list[str]:
    """The words of a part that is no link: disguises undone, hyphens and dots cut.

    >>> words("st.ret.ched"), words("f-u-c-k"), words("well-known"), words("f**k"), words("mp3")
    (['st', 'ret', 'ched', 'stretched'], ['fuck'], ['well', 'known'], ['f**k'], ['mp3', 'mpe'])
    >>> words("谢谢分享"), words("バカ野郎です"), words("iphone很好")
    (['谢', '谢', '分', '享'], ['バカ', '野', '郎', 'です'], ['iphone', '很', '好'])
    """
    if _UNSPACED.search(part):
        return [token for sign in _SIGNS.findall(part) for token in _of_one_script(sign)]
    part = part.replace("'", "").strip(".-_~|+!")
    if part.isalpha() and len(part) <= LONGEST_WORD:
        return [squeezed(part)]
    if part.startswith("@") and part[1:].isalnum():
        return [MENTION, *_cut(squeezed("a" + part[1:]))]
    if _NUMBERED.match(part):
        return [*_cut(part), *_cut(plain_letters(part))]
    if _LEET_SIGNS.search(part) and not part.isdigit():
        part = plain_letters(part.strip("@") if part.endswith("@") else part)
    parts = [squeezed(word) for word in _LETTER_GAPS.split(part) if word.strip("*")]
    if len(parts) < 2:
        return [token for word in parts for token in _cut(word)]
    joined = squeezed("".join(parts)) if min(map(len, parts)) <= _SHORT_PART else ""
    apart = [] if max(map(len, parts)) == 1 else [token for word in parts for token in _cut(word)]
    return [*apart, *_cut(joined)]


def _of_one_script(part: str) -> list[str]:
    return _cut(part) if _UNSPACED.match(part) else words(part)


def link_words(link: str) -> list[str]:
    """
    >>> link_words("http://bit.ly/x9")
    ['<link>', '<short>', 'bit', '.ly', 'x', '9']
    """
    host, *path = re.sub(r"^(?:https?:/+)?(?:www\.)?", "", link.rstrip(".,;:!?'")).split("/")
    marks = [LINK, SHORT_LINK] if host.split("?")[0] in SHORTENERS else [LINK]
    below = [word for word in re.findall(r"[^\W\d_]+|\d+", " ".join(path)) if len(word) <= LONGEST_WORD]
    return [*marks, *_host_words(host), *below[:_MOST_PATH_WORDS]]


def mail_words(address: str) -> list[str]:
    """
    >>> mail_words("jane.doe@mail.example.org")
    ['<mail>', 'mail', 'example', '.org']
    """
    return [EMAIL, *_host_words(address.rpartition("@")[2])]


def picture_words(picture: str) -> list[str]:
    """
    >>> picture_words("🐷"), picture_words("❤"), picture_words("🏿")
    (['🐷', 'pig', 'face'], ['❤', 'heart'], ['🏿', 'dark', 'skin'])
    """
    if picture in _TONES:
        return [picture, _TONES[picture], "skin"]
    name = re.findall(r"[a-z]+", unicodedata.name(picture, "").lower())[:4]
    if picture < _COLOURED:
        name = [word for word in name if word not in _STROKES]
    return [picture, *name]


def flag_words(flags: str) -> list[str]:
    """Flags are two letters each; more of them may as well be a word.

    >>> flag_words("🇨🇭"), flag_words("🇸🇵🇦🇲")
    (['🇨🇭', 'flag', 'ch'], ['🇸🇵', 'flag', 'sp', '🇦🇲', 'flag', 'am', 'spam'])
    """
    letters = "".join(chr(ord(sign) - ord("🇦") + ord("a")) for sign in flags[:LONGEST_WORD])
    found = []
    for i in range(0, len(letters), 2):
        found += [flags[i : i + 2], "flag", letters[i : i + 2]]
    return [*found, letters] if len(letters) > 2 else found


def _host_words(host: str) -> list[str]:
    name, _, top = host.split("?")[0].split(":")[0].rpartition(".")
    found = [word for word in re.split(r"[^\w]+|_", name) if word][:6]
    return [*(word[:LONGEST_WORD] for word in found), *([f".{top[:LONGEST_WORD]}"] if top else [])]


def _cut(word: str) -> list[str]:
    if word.isdigit() and len(word) > 4:
        return ["0" * min(len(word), LONGEST_WORD)]
    return [word[i : i + LONGEST_WORD] for i in range(0, len(word), LONGEST_WORD)]


_READ = {
    "link": link_words,
    "mail": mail_words,
    "bare": link_words,
    "tag": lambda _: [],
    "flags": flag_words,
    "picture": picture_words,
    "word": words,
}
