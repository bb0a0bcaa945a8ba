"""Turn what people type into plain words: the same way in training, scoring and explaining.

Every step is one regular expression without nested repetition, so the time is linear in the text. The
result holds lower-case words with single spaces between them, and normalising it again changes nothing.
"""

import html
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

LINK, EMAIL, MENTION = "urllink", "emailaddress", "atname"


class Step(NamedTuple):
    """Replace `pattern`; `marker` is a character without which nothing can match ("" when any can)."""

    marker: str
    pattern: re.Pattern[str]
    replacement: Callable[[re.Match[str]], str]


def decode_entity(found: re.Match[str]) -> str:
    """
    >>> ENTITY.sub(decode_entity, "a &lt; b &amp;amp; c &#x41;")
    'a < b & c A'
    """
    return html.unescape(f"&{found[1]};")


def links_of_tag(found: re.Match[str]) -> str:
    """Keep where a tag points to and drop the tag.

    >>> TAG.sub(links_of_tag, '<a href="http://example.com/x">hi</a>')
    ' http://example.com/x hi '
    """
    return f" {' '.join(link[0] for link in URL.finditer(found[0]))} " if "href" in found[0] else " "


def host_words(found: re.Match[str]) -> str:
    """
    >>> URL.sub(host_words, "see https://www.cheap-pills.example.com/buy?x=1 now")
    'see  urllink cheap pills example com  now'
    """
    return f" {LINK} {re.sub(r'[^a-z0-9]+', ' ', found['host'])} "


def domain_words(found: re.Match[str]) -> str:
    """
    >>> ADDRESS.sub(domain_words, "write to jane.doe@mail.example.org today")
    'write to  emailaddress mail example org  today'
    """
    return f" {EMAIL} {re.sub(r'[^a-z0-9]+', ' ', found[1])} "


def twice(found: re.Match[str]) -> str:
    """
    >>> REPEATED.sub(twice, "soooooo coool")
    'soo cool'
    """
    return found[1] * 2


def keep_disguise(found: re.Match[str]) -> str:
    """
    >>> PUNCTUATION.sub(keep_disguise, "f*ck, that a$$!")
    'f*ck  that a$$ '
    """
    return found[1] or found[2] or " "


ENTITY = re.compile(r"&(?:amp;)*(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e0fff]+"
)
TAG = re.compile(r"<[a-z/!][^<>]*>")
URL = re.compile(
    r"(?:https?://(?:www\.)?|www\.)(?P<host>[^\s<>\"'/?#\])}]+)[^\s<>\"'\])}]*", re.ASCII | re.IGNORECASE
)
ADDRESS = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@([\w-]{1,63}(?:\.[\w-]{1,63}){1,5})", re.ASCII)
NAMED = re.compile(r"(?<!\w)@\w{1,50}")
PICTURE = re.compile("[\u2600-\u27bf\U0001f000-\U0001faff]")
# A mark between two letters, or ending a word, may stand for a letter: f*ck, a$$.
PUNCTUATION = re.compile(
    r"(?<=[a-z])([*@$]{1,6})(?=[a-z])|(?<=[a-z])(\$\$)(?![\w@*$])|[\x00-\x1f\x21-\x2f\x3a-\x60\x7b-\xa9\xab-\xb1\xb4\xb6-\xb8"
    "\xbb\xbf\xd7\xf7\u2000-\u206f\u20d0-\u20f0\u2100-\u25ff\u2900-\u2bff\u3000-\u3004\u3008-\u303f\ud800-\udfff]+"
)
REPEATED = re.compile(r"([^\W\d_])\1{2,}")
SPACE = re.compile(r"\s{2,}|[^\S ]")

BEFORE_FOLDING = (
    Step("&", ENTITY, decode_entity),
    Step("", INVISIBLE, lambda _: ""),
)
AFTER_FOLDING = (
    Step("<", TAG, links_of_tag),
    Step("", URL, host_words),
    Step("@", ADDRESS, domain_words),
    Step("@", NAMED, lambda _: f" {MENTION} "),
    Step("", PICTURE, lambda found: f" {found[0]} "),
    Step("", PUNCTUATION, keep_disguise),
    Step("", REPEATED, twice),
    Step("", SPACE, lambda _: " "),
)


def fold(text: str) -> str:
    """Compatibility forms (NFKC) and lower case.

    >>> fold("Ｆｒｅｅ ＭＯＮＥＹ ﬁ Straße")
    'free money fi strasse'
    """
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


@lru_cache(maxsize=4096)
def joins_previous(character: str) -> bool:
    """Whether NFKC may merge this character with the one before it (marks and Hangul vowels and finals).

    >>> joins_previous("e"), joins_previous("\\u0301")
    (False, True)
    """
    first = unicodedata.normalize("NFKD", character)[:1]
    return unicodedata.category(first)[0] == "M" or "\u1160" <= first <= "\u11ff"


def normalise(text: str) -> str:
    """Plain lower-case words of a text, single spaces between.

    >>> normalise("Buy <b>CHEAP</b> pi\\u200blls &amp; more: http://www.pills.example/x?y !!!")
    'buy cheap pills more urllink pills example'
    """
    for step in BEFORE_FOLDING:
        if step.marker in text:
            text = step.pattern.sub(step.replacement, text)
    text = fold(text)
    for step in AFTER_FOLDING:
        if step.marker in text:
            text = step.pattern.sub(step.replacement, text)
    return text.strip(" ")
