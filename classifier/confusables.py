"""Characters that look like a Latin letter: a choice from the confusables of Unicode TS 39, after NFKC."""

_LOOK_LIKE = {
    "a": "ɑαаᎪᗅꓮᴀ",
    "b": "ƅβвьᏏᑲᖯꓐʙ",
    "c": "ϲсᏟᴄⲥꓚ",
    "d": "ԁᎠᏧᑯᗞꓒᴅ",
    "e": "εеҽᎬ℮ⴹꓰᴇє",
    "f": "ϝքᖴꓝꞙꬵꜰ",
    "g": "ɡԍցᏀᏳᶃꓖɢ",
    "h": "нһհᎻᏂᕼⲏꓧʜ",
    "i": "ıɩɪιіӏᎥꙇ",
    "j": "ʝϳјᎫᒍꓙᴊ",
    "k": "κкᏦᛕⲕꓗᴋ",
    "l": "ǀۊᏞᒪⳑꓡʟ",
    "m": "μϻмᎷᗰᛖⲙꓟᴍ",
    "n": "νոռⲛꓠɴпη",
    "o": "οоօ०౦ᴏⲟꓳσ",
    "p": "ρрᏢᑭⲣꓑᴘ",
    "q": "ԛգզⵕ",
    "r": "ʀгᎡᎱᏒᖇᴦⲅꓣ",
    "s": "ƽѕտᏕᏚꓢꜱ",
    "t": "τтᎢⲧꓔᴛ",
    "u": "ʋυսᑌᴜꓴꞟ",
    "v": "ѵᏙᐯᴠⴸꓦ",
    "w": "ɯѡԝաᎳᏔᴡꓪω",
    "x": "χхᕁ᙭ⲭꓫ×",
    "y": "ɣʏγуүყᎩᎽᶌⲩꓬ",
    "z": "ζᏃᴢꓜ",
}
_TO_LATIN = {ord(twin): letter for letter, twins in _LOOK_LIKE.items() for twin in twins}
_TO_LATIN |= {ord(twin.casefold()): letter for letter, twins in _LOOK_LIKE.items() for twin in twins}


def latin(word: str) -> str:
    """A word with its look-alikes made Latin, if it mixes them with Latin or consists of nothing else.

    >>> latin("ѕрam"), latin("аѕѕ"), latin("привет")
    ('spam', 'ass', 'привет')
    """
    if word.isascii():
        return word
    folded = word.translate(_TO_LATIN)
    mixed = any("a" <= character <= "z" for character in word)
    return folded if mixed or folded.isascii() else word
