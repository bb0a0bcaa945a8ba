"""The words of a comment in HTML, as Coral writes it; of plain text, which may be set, nothing is lost."""

import html
import re

_TAG = re.compile(
    r"</?(a|b|i|em|strong|u|s|del|span|div|p|br|ul|ol|li|blockquote)\b([^<>]*)>", re.ASCII | re.IGNORECASE
)
_BREAKS = {"br", "div", "p", "li", "blockquote"}
# What a link says besides its address. Anything else inside a tag stays: in plain text people see it.
_SAYS_NOTHING = re.compile(
    r'\b(?:target|rel|class|style|id)="[^"]*"|\bhref=|["/]$|"', re.ASCII | re.IGNORECASE
)


def words_of(text: str) -> str:
    """What a reader sees; the addresses of links too, for they are what spam is about.

    >>> words_of('<div>One &amp; t<b>w</b>o</div><div>three<br>four <a href="https://x.example">here</a></div>')
    'One & two\\nthree\\nfour https://x.example here'
    >>> words_of("a < b <3 <buy this> <b or that>")
    'a < b <3 <buy this> or that'
    """
    plain = html.unescape(_TAG.sub(_in_words, text)).replace("\0", "")
    return "\n".join(" ".join(line.split()) for line in plain.split("\n") if line.strip())


def _in_words(tag: re.Match[str]) -> str:
    inside = _SAYS_NOTHING.sub(" ", tag[2]).strip()
    return ("\n" if tag[1].lower() in _BREAKS else "") + (f" {inside} " if inside else "")
