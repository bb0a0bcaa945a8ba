"""The words of a comment that is written in HTML, as Coral's are."""

from html.parser import HTMLParser

_BREAKS = {"br", "div", "p", "li", "blockquote"}


def words_of(html: str) -> str:
    """What a reader sees; the addresses of links too, for they are what spam is about.

    >>> words_of('<div>One &amp; two</div><div>three<br>four <a href="https://x.example">here</a></div>')
    'One & two\\nthree\\nfour https://x.example here'
    """
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = "".join(reader.parts).replace("\0", "").split("\n")
    return "\n".join(" ".join(line.split()) for line in lines if line.strip())


class _Reader(HTMLParser):
    """Gathers texts and the addresses of links."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BREAKS:
            self.parts.append("\n")
        self.parts += [f" {value} " for name, value in attrs if name == "href" and value]

    def handle_endtag(self, tag: str) -> None:
        if tag in _BREAKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        self.parts.append(data)
