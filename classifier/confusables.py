"""Characters that look like a Latin letter: a choice from the confusables of Unicode TS 39, after NFKC."""

_LOOK_LIKE = {
    "a": "ɑαаᎪᗅꓮᴀɐ",
    "b": "ƅβвьᏏᑲᖯꓐʙɓƀ",
    "c": "ϲсᏟᴄⲥꓚƈȼɔ",
    "d": "ԁᎠᏧᑯᗞꓒᴅɗɖđƌ",
    "e": "εеҽᎬ℮ⴹꓰᴇєɇɛǝə",
    "f": "ϝքᖴꓝꞙꬵꜰƒɟ",
    "g": "ɡԍցᏀᏳᶃꓖɢɠǥ",
    "h": "нһհᎻᏂᕼⲏꓧʜħɦɥ",
    "i": "ıɩɪιіӏᎥꙇɨᴉ",
    "j": "ʝϳјᎫᒍꓙᴊɉ",
    "k": "κкᏦᛕⲕꓗᴋƙʞ",
    "l": "ǀۊᏞᒪⳑꓡʟłƚɭʅ",
    "m": "μϻмᎷᗰᛖⲙꓟᴍɱ",
    "n": "νոռⲛꓠɴпηɲƞŋ",
    "o": "οоօ०౦ᴏⲟꓳσøɵ",
    "p": "ρрᏢᑭⲣꓑᴘƥþ",
    "q": "ԛգզⵕʠ",
    "r": "ʀгᎡᎱᏒᖇᴦⲅꓣɽɹɾ",
    "s": "ƽѕտᏕᏚꓢꜱʂ",
    "t": "τтᎢⲧꓔᴛŧƭʇɬ",
    "u": "ʋυսᑌᴜꓴꞟʉ",
    "v": "ѵᏙᐯᴠⴸꓦʌ",
    "w": "ɯѡԝաᎳᏔᴡꓪωʍ",
    "x": "χхᕁ᙭ⲭꓫ×",
    "y": "ɣʏγуүყᎩᎽᶌⲩꓬƴʎ",
    "z": "ζᏃᴢꓜƶʐ",
}
_TO_LATIN = {ord(twin): letter for letter, twins in _LOOK_LIKE.items() for twin in twins}
_TO_LATIN |= {ord(twin.casefold()): letter for letter, twins in _LOOK_LIKE.items() for twin in twins}
# White letters on a coloured ground, as A in 🅐 or 🅰, which NFKC leaves as they are.
_TO_LATIN |= {first + i: chr(ord("a") + i) for first in (0x1F150, 0x1F170) for i in range(26)}


def latin(word: str) -> str:
    """A word with its look-alikes made Latin, if it mixes them with Latin or consists of nothing else.

    >>> latin("ѕрam"), latin("аѕѕ"), latin("привет"), latin("🅸🅳ıø🆃")
    ('spam', 'ass', 'привет', 'idiot')
    """
    if word.isascii():
        return word
    folded = word.translate(_TO_LATIN)
    mixed = any("a" <= character <= "z" for character in word)
    return folded if mixed or folded.isascii() else word
