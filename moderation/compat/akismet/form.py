"""Form fields as other people's clients send them: nothing that comes is an error."""

import re
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

Fields = Mapping[str, str]

# WordPress sends its whole environment along, each form field twice.
MOST_FIELDS = 2_000
# What a blog may have been set up with long ago. Any name would let a caller choose among Python's codecs,
# some of which are slow or no character sets at all.
_CHARSET = re.compile(
    r"(?:iso-?8859-?\d{1,2}|latin-?\d{1,2}|(?:windows|cp)-?125\d|koi8-?[rut])", re.ASCII | re.IGNORECASE
)
_OTHER_CHARSETS = {
    *("big5", "big5-hkscs", "euc-jp", "euc-kr", "gb2312", "gb18030", "gbk", "shift_jis", "iso-2022-jp"),
    *("tis-620", "macintosh", "cp866", "cp850", "utf-8", "utf8", "us-ascii"),
}
FALLBACK = "windows-1252"


def read_form(body: bytes, charset: str = "") -> dict[str, str]:
    """The fields of a form or query; of a name that comes twice the first.

    A bare name counts as empty. A value that is UTF-8 is read so, whatever the blog's charset says it is;
    else by that charset. NUL is left out: no text of a person has one, and no database here takes it.

    >>> read_form(b"a=b+c%21&bare&a=x")
    {'a': 'b c!', 'bare': ''}
    """
    raw: dict[bytes, bytes] = {}
    for pair in body.split(b"&", MOST_FIELDS)[:MOST_FIELDS]:
        name, _, value = pair.partition(b"=")
        if name:
            raw.setdefault(unquote_to_bytes(name.replace(b"+", b" ")), value)
    declared = _plain(raw.get(b"blog_charset", b"")) or charset
    return {_decode(name, declared): _plain(value, declared) for name, value in raw.items()}


def _plain(value: bytes, charset: str = "") -> str:
    return _decode(unquote_to_bytes(value.replace(b"+", b" ")), charset)


def _decode(raw: bytes, charset: str) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode(_known(charset), "replace")
    return text.replace("\0", "")


def _known(charset: str) -> str:
    """The charset if it is one of those, else what browsers read where nothing is said."""
    name = charset.strip().lower()
    if not (_CHARSET.fullmatch(name) or name in _OTHER_CHARSETS):
        return FALLBACK
    try:
        b"".decode(name)
    except LookupError:
        return FALLBACK
    return FALLBACK if name.startswith("utf") else name
