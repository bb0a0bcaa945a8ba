"""The comment of a call: its text and languages, within the limits that clients know."""

from collections.abc import Sequence
from typing import Any

from moderation.compat.perspective.attributes import LANGUAGES
from moderation.compat.perspective.call import wrong
from moderation.languages import language_of

TEXT_BYTES = 20_480


def read_text(comment: Any) -> str:
    """The text to be analysed; raises ApiError."""
    found = comment if isinstance(comment, dict) else {}
    kind = found.get("type", "PLAIN_TEXT")
    if kind not in {"PLAIN_TEXT", "TEXT_TYPE_UNSPECIFIED"}:
        plain = (
            "Currently, only 'PLAIN_TEXT' comments are supported" if kind == "HTML" else "Unknown text type"
        )
        raise wrong("INVALID_REQUEST", plain)
    text = found.get("text", "")
    if not isinstance(text, str) or not text.strip():
        raise wrong("COMMENT_EMPTY", "Comment must be non-empty.")
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise wrong("INVALID_REQUEST", "Invalid JSON payload received.") from None
    if size > TEXT_BYTES:
        raise wrong("COMMENT_TOO_LONG", "Comment text too long.")
    return text.replace("\0", " ")


def read_languages(asked: Any) -> list[str]:
    """The languages the caller says, as primary codes; raises ApiError."""
    if asked is None:
        return []
    if not isinstance(asked, list) or not all(isinstance(one, str) and one for one in asked):
        raise wrong("INVALID_REQUEST", "Invalid value at 'languages'.")
    return [str(one) for one in asked]


def detected(text: str, asked: Sequence[str]) -> list[str]:
    """What the caller says, or else the language found; English where it cannot be told.

    Asking only where nobody said it saves a hundred MiB where somebody always does.
    """
    return list(asked) if asked else [language_of(text) or LANGUAGES[0]]


def refuse_languages(attribute: str, asked: Sequence[str], found: Sequence[str]) -> None:
    """Raise ApiError for languages on which the model was not judged."""
    unknown = [one for one in (asked or found) if one.lower().partition("-")[0] not in LANGUAGES]
    if unknown:
        raise wrong(
            "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE",
            f"Attribute {attribute} does not support request languages: {', '.join(unknown)}",
            languageNotSupportedByAttributeError={
                "detectedLanguages": list(found),
                "requestedLanguages": list(asked),
                "attribute": attribute,
            },
        )


def refuse_context(context: Any) -> None:
    """A context is read by nobody here, but one of both kinds is an error there."""
    if isinstance(context, dict) and "entries" in context and "articleAndParentComment" in context:
        both = (
            "Context can have either entries or article_and_parent_comment, but both fields were populated."
        )
        raise wrong("INVALID_REQUEST", both)
