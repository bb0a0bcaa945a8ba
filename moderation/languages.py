"""The language of a text, by py3langid (BSD, offline, 97 languages): read on first use, some 100 MiB."""

from functools import cache
from typing import Any

# Below this the guess is worth nothing: a word or two looks like many languages.
SURE = 0.5


def language_of(text: str) -> str | None:
    """The ISO 639-1 code of the language, None when it cannot be told."""
    code, share = _identifier().classify(text)
    return str(code) if float(share) >= SURE else None


@cache
def _identifier() -> Any:
    # Imported here: most installations never ask.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
