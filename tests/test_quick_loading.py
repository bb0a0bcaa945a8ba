"""Members read in one go: what comes of it is what marshmallow makes of them, for whatever is handed in."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError, fields, post_load

from moderation.schemas.comments import NewCommentSchema
from moderation.schemas.fields import StrictSchema, Text

SCHEMA = NewCommentSchema()
SOUND = {"thread": {"id": " /a "}, "author": {"name": "A", "email": ""}, "body": " words\n"}

texts = st.one_of(
    st.text(max_size=5), st.sampled_from(["", "  ", " a ", "\0", "\ud800", "x" * 200, "x" * 201, "192.0.2.1"])
)
values = st.one_of(texts, st.none(), st.integers(), st.lists(texts, max_size=1), st.booleans())


def some(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(names), values, max_size=len(names))


threads = st.one_of(values, some("id", "url", "title", "else").map(lambda more: {"id": "/a", **more}))
authors = st.one_of(values, some("name", "email", "ip", "id").map(lambda more: {"name": "A", **more}))
comments = st.fixed_dictionaries(
    {"body": values},
    optional={"thread": threads, "author": authors, "parent_id": values, "honeypot": values, "else": values},
)


def outcome(load: Any, data: Any) -> Any:
    try:
        return load(data)
    except ValidationError as error:
        return error.normalized_messages()  # type: ignore[no-untyped-call]


@given(st.one_of(comments, values))
def test_the_outcome_is_the_one_of_marshmallow(data: Any) -> None:
    assert outcome(SCHEMA.load, data) == outcome(lambda given: Schema.load(SCHEMA, given), data)


def test_a_sound_comment_needs_no_marshmallow(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = Schema.load(SCHEMA, SOUND)
    monkeypatch.setattr(Schema, "load", None)
    assert SCHEMA.load(SOUND) == expected
    assert expected["body"] == "words"


def test_a_schema_with_a_hook_of_its_own_is_left_to_marshmallow() -> None:
    class Hooked(StrictSchema):
        one = Text(5)

        @post_load
        def mark(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
            return data | {"marked": True}

    assert Hooked().load({"one": "a"}) == {"one": "a", "marked": True}
    assert Hooked().load({}) == {"marked": True}


def test_one_object_is_no_list_of_them() -> None:
    class One(StrictSchema):
        one = Text(5)

    class Several(StrictSchema):
        all = fields.Nested(One, many=True)

    assert One(many=True).load([{"one": "a"}]) == [{"one": "a"}]
    assert Several().load({"all": [{"one": "a"}]}) == {"all": [{"one": "a"}]}
    for load, data in ((One(many=True).load, {"one": "a"}), (Several().load, {"all": {"one": "a"}})):
        with pytest.raises(ValidationError):
            load(data)


def test_a_default_is_not_forgotten() -> None:
    class Defaulted(StrictSchema):
        one = Text(5, load_default="x")

    assert Defaulted().load({}) == {"one": "x"}


def test_another_name_outside_is_left_to_marshmallow() -> None:
    class Renamed(StrictSchema):
        one = Text(5, data_key="first")

    assert Renamed().load({"first": "a"}) == {"one": "a"}


def test_options_of_a_call_are_heeded() -> None:
    assert SCHEMA.load({"body": "a"}, partial=True) == {"body": "a"}
