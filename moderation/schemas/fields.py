"""Fields every schema uses: text without the characters databases and pages choke on, and UTC times."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from moderation.domain.policy import CATEGORIES

BODY_LENGTH = 20_000
NAME_LENGTH = 200
EMAIL_LENGTH = 320
URL_LENGTH = 2_000
KEY_LENGTH = 500
TITLE_LENGTH = 1_000
NOTE_LENGTH = 2_000
ID_LENGTH = 100
REASON = r"^[a-z][a-z0-9_]{0,39}$"
_SURROGATE = re.compile("[\ud800-\udfff]")


def utc_text(at: datetime) -> str:
    """A time as the API writes it: RFC 3339, UTC, milliseconds, Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class StrictSchema(Schema):
    """A schema that refuses members it does not know, by name."""

    class Meta:
        unknown = RAISE


class Text(fields.String):
    """A trimmed string of limited length without NUL and lone surrogates."""

    def __init__(self, longest: int, *, shortest: int = 0, **kwargs: Any) -> None:
        super().__init__(validate=validate.Length(min=shortest, max=longest), **kwargs)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if "\0" in text:
            raise ValidationError("NUL characters are not allowed.")
        if _SURROGATE.search(text):
            raise ValidationError("Lone surrogates are not allowed.")
        return text.strip()


class Utc(fields.Field[datetime]):
    """An RFC 3339 time in UTC with a Z."""

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else utc_text(value)


class Labels(fields.Dict):
    """Labels: a category of the classifier to true or false."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            keys=fields.String(validate=validate.OneOf(CATEGORIES)), values=fields.Boolean(), **kwargs
        )

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, bool]:
        if isinstance(value, Mapping) and not all(isinstance(v, bool) for v in value.values()):
            # marshmallow would also take "yes" and 1.
            raise ValidationError("Each label must be true or false.")
        labels: dict[str, bool] = super()._deserialize(value, attr, data, **kwargs)  # type: ignore[no-untyped-call]
        return labels
